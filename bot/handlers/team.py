"""/send and /case: the desk of the team that the bot is bound to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Message

from bot.context import UpdateContext
from bot.media import bounded_name, read_message
from bot.replies import keyboards
from bot.replies import team as words
from bot.replies.commands import hide_team_menu
from bot.team import DeskError, TeamChat, TeamDesk, Trouble
from unmask.i18n import Texts


def in_team_chat(
    handler: Callable[[UpdateContext, TeamChat], Awaitable[None]],
) -> Callable[[UpdateContext], Awaitable[None]]:
    """A handler for the chats that belong to the team; others are told that they have none. A link
    that the desk does not know any more is forgotten."""

    async def handle(context: UpdateContext) -> None:
        chat = await context.services.team.of(context.chat, context.user)
        if chat is None:
            await context.reply_text(context.texts.gettext(words.NO_TEAM))
            return
        try:
            await handler(context, chat)
        except DeskError as error:
            if error.trouble is Trouble.UNLINKED:
                await context.services.links.forget(context.user)
                await hide_team_menu(context.services.bot, context.user)
            await context.reply_text(words.trouble(context.texts, error))

    return handle


async def _send(context: UpdateContext, team: TeamChat) -> None:
    checks = await _checks(context)
    if not checks:
        await context.reply_text(
            context.texts.gettext(
                "Reply with /send to a picture that I examined, or to my answer to it."
            )
        )
        return
    title = context.message.chat.title
    for check in checks:
        sent = await team.desk.send(check, bounded_name(title) if title else None, team.reader)
        if sent.case is None:
            await context.reply_text(
                context.texts.gettext(
                    "The check has not ended, or it failed. Send it once it is done."
                )
            )
            continue
        lines = [words.case_name(context.texts, sent.case)]
        if sent.answer is not None and sent.answer.verdict:
            lines.append(words.answer(context.texts, sent.answer))
        await context.reply_text(
            "\n".join(lines), await case_button(team.desk, context.texts, sent.case)
        )


async def _case(context: UpdateContext, team: TeamChat) -> None:
    number = case_number(context)
    if number is None:
        await context.reply_text(context.texts.gettext("Give the number of a case: /case 214"))
        return
    case = await team.desk.case(number, team.reader)
    state = words.state(context.texts, case.state)
    lines = [f"{words.case_name(context.texts, number)}: {state}", case.title]
    lines.append(words.verdict(context.texts, case.verdict))
    await context.reply_text(
        "\n".join(filter(None, lines)), await case_button(team.desk, context.texts, number)
    )


def case_number(context: UpdateContext) -> int | None:
    """The number of a case that follows the command."""
    word = context.argument.split(" ")[0].lstrip("#")
    return int(word) if word.isdecimal() and 0 < len(word) < 10 and int(word) else None


async def case_button(desk: TeamDesk, texts: Texts, number: int) -> InlineKeyboardMarkup | None:
    """The button that opens a case's page; none where Telegram would refuse its address."""
    url = await desk.page_of(number)
    if not keyboards.is_public(url):
        return None
    name = words.case_name(texts, number)
    return InlineKeyboardMarkup([[InlineKeyboardButton(name, url=url)]])


async def _checks(context: UpdateContext) -> list[str]:
    """The checks of the message that is replied to: a picture, or an answer of the bot."""
    replied = context.message.reply_to_message
    services = context.services
    if replied is None:
        return []
    if replied.from_user is not None and replied.from_user.id == services.bot.id:
        return await _checks_of_answer(context, replied)
    pictures = read_message(replied, services.bot.username, services.bot.id).pictures
    checks = [await services.history.check_of_file(picture.unique) for picture in pictures]
    return [check for check in checks if check]


async def _checks_of_answer(context: UpdateContext, answer: Message) -> list[str]:
    """The checks that the buttons below an answer belong to."""
    rows = answer.reply_markup.inline_keyboard if answer.reply_markup else ()
    data = [button.callback_data for row in rows for button in row]
    tokens = dict.fromkeys(text.split(":")[1] for text in data if isinstance(text, str))
    checks: dict[str, None] = {}
    callbacks = context.services.callbacks
    for token in tokens:
        callback = await callbacks.find(token)
        pages = [await callbacks.find(page) for page in callback.pages] if callback else []
        for one in (callback, *pages):
            if one is not None and one.check and one.chat == context.chat:
                checks[one.check] = None
    return list(checks)


send, case = in_team_chat(_send), in_team_chat(_case)
