"""A pressed button: whose it is, whether they may, and which handler does it."""

from __future__ import annotations

from telegram.constants import ChatMemberStatus
from telegram.error import BadRequest

from bot.context import Turn
from bot.handlers import delete, language, results, wrong
from bot.replies.keyboards import Action
from bot.state.callback_data import Ticket

#: Telegram's stand-in for whoever writes as the group itself: it presses no buttons.
_ANONYMOUS = 1087968824


async def pressed(turn: Turn) -> None:
    """Dispatch a press."""
    action, token, argument = _parts(turn.query.data if turn.query else None)
    if action is None:
        await turn.notice()
        return
    limited = await turn.services.limits.press(turn.user)
    if limited is not None:
        await results.wait(turn, limited)
    elif action is Action.LANGUAGE:
        await language.chosen(turn, token)
    elif action is Action.DELETE_ALL:
        await delete.everything(turn, token)
    else:
        await _with_ticket(turn, action, token, argument)


async def _with_ticket(turn: Turn, action: Action, token: str, argument: str) -> None:
    ticket = await turn.services.tickets.find(token)
    if action is Action.KEEP:
        await _cancel(turn, ticket)
    elif ticket is None or ticket.chat != turn.chat:
        await results.gone(turn)
    elif await _may(turn, ticket, action):
        await _do(turn, action, token, ticket, argument)
    else:
        await _not_yours(turn)


async def _do(turn: Turn, action: Action, token: str, ticket: Ticket, argument: str) -> None:
    if action in (Action.DELETE, Action.DELETE_ONE):
        await delete.one(turn, token, ticket, sure=action is Action.DELETE_ONE)
    elif action is Action.WRONG:
        await wrong.ask(turn, token, ticket)
    elif action is Action.TRUTH:
        await wrong.ask_consent(turn, token, ticket, argument)
    elif action is Action.CONSENT:
        await wrong.keep(turn, ticket, argument)
    elif action is Action.PAGE:
        await results.page(turn, token, ticket, argument)
    elif action is Action.ANEW:
        await results.anew(turn, ticket)
    else:
        await results.picture(turn, action, ticket)


async def _cancel(turn: Turn, ticket: Ticket | None) -> None:
    """Leave all as it is, for whoever may have been asked. A question that has no ticket is
    /delete's, whoever asked it."""
    if ticket is not None and not await _may(turn, ticket, Action.DELETE):
        await _not_yours(turn)
        return
    await turn.notice()
    await turn.edit(turn.words.say("Nothing was changed."))


async def _may(turn: Turn, ticket: Ticket, action: Action) -> bool:
    """The one who asked may; a group's admins may delete, and stand in for an anonymous one."""
    if turn.user == ticket.asker:
        return True
    if not turn.group:
        return False
    if action in (Action.DELETE, Action.DELETE_ONE) or ticket.asker == _ANONYMOUS:
        try:
            member = await turn.services.bot.get_chat_member(turn.chat, turn.user)
        except BadRequest:  # a group may keep its members to itself
            return False
        return member.status in (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR)
    return False


async def _not_yours(turn: Turn) -> None:
    await turn.notice(
        turn.words.say("These buttons are for the one who asked. Ask with /check yourself."),
        alert=True,
    )


def _parts(data: str | None) -> tuple[Action | None, str, str]:
    """Action, token and argument of a button's data; no action for what is none of ours."""
    name, _, rest = (data or "").partition(":")
    token, _, argument = rest.partition(":")
    try:
        return Action(name), token, argument
    except ValueError:
        return None, "", ""
