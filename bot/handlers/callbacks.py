"""Pressed buttons: whether the user may press them, and which handler does the work."""

from __future__ import annotations

from telegram.constants import ChatMemberStatus
from telegram.error import BadRequest

from bot.context import UpdateContext
from bot.handlers import delete, feedback, language, results
from bot.replies.keyboards import Action
from bot.state.callback_data import CallbackData

#: The account that Telegram shows for an administrator who writes as the group itself. It cannot
#: press buttons.
_ANONYMOUS_ADMIN = 1087968824


async def handle_press(context: UpdateContext) -> None:
    """Call the handler of a pressed button."""
    action, token, argument = _parse(context.query.data if context.query else None)
    if action is None:
        await context.answer_query()
        return
    limited = await context.services.limits.press(context.user)
    if limited is not None:
        await results.say_wait(context, limited)
    elif action is Action.LANGUAGE:
        await language.choose(context, token)
    elif action is Action.DELETE_ALL:
        await delete.delete_everything(context, token)
    else:
        await _handle_stored(context, action, token, argument)


async def _handle_stored(context: UpdateContext, action: Action, token: str, argument: str) -> None:
    """Handle a button whose callback data is stored under a token."""
    callback = await context.services.callbacks.find(token)
    if action is Action.CANCEL:
        await _cancel(context, callback)
    elif callback is None or callback.chat != context.chat:
        await results.say_expired(context)
    elif await _may_press(context, callback, action):
        await _handle_action(context, action, token, callback, argument)
    else:
        await _refuse(context)


async def _handle_action(
    context: UpdateContext, action: Action, token: str, callback: CallbackData, argument: str
) -> None:
    if action is Action.DELETE:
        await delete.ask_what(context, token)
    elif action is Action.DELETE_ONE:
        await delete.delete_one(context, token, callback)
    elif action is Action.WRONG:
        await feedback.ask_truth(context, token, callback)
    elif action is Action.TRUTH:
        await feedback.ask_consent(context, token, callback, argument)
    elif action is Action.CONSENT:
        await feedback.store(context, callback, argument)
    elif action is Action.PAGE:
        await results.show_page(context, token, callback, argument)
    elif action is Action.EXAMINE_AGAIN:
        await results.examine_again(context, callback)
    else:
        await results.send_picture(context, action, callback)


async def _cancel(context: UpdateContext, callback: CallbackData | None) -> None:
    """Cancel a question. One without callback data was asked by /delete, and anybody may cancel it;
    any other only a user who may delete the result."""
    if callback is not None and not await _may_press(context, callback, Action.DELETE):
        await _refuse(context)
        return
    await context.answer_query()
    await context.edit_text(context.texts.gettext("Nothing was changed."))


async def _may_press(context: UpdateContext, callback: CallbackData, action: Action) -> bool:
    """Whether a user may press a button: the user who got the reply may press all of them; a
    group's administrators may delete, and press all buttons of an anonymous administrator."""
    if context.user == callback.user:
        return True
    if not context.group:
        return False
    if action in (Action.DELETE, Action.DELETE_ONE) or callback.user == _ANONYMOUS_ADMIN:
        try:
            member = await context.services.bot.get_chat_member(context.chat, context.user)
        except BadRequest:  # a group may hide its members
            return False
        return member.status in (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR)
    return False


async def _refuse(context: UpdateContext) -> None:
    await context.answer_query(
        context.texts.gettext("These buttons are for the one who asked. Ask with /check yourself."),
        alert=True,
    )


def _parse(data: str | None) -> tuple[Action | None, str, str]:
    """Action, token and argument of a button's data; the action is None if it is unknown."""
    name, _, rest = (data or "").partition(":")
    token, _, argument = rest.partition(":")
    try:
        return Action(name), token, argument
    except ValueError:
        return None, "", ""
