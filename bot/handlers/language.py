"""/language: choose a language; the choice is stored."""

from __future__ import annotations

from bot.context import UpdateContext
from bot.i18n import texts_in
from bot.replies import keyboards
from bot.replies.commands import show_team_menu
from unmask.i18n import LANGUAGES


async def ask_language(context: UpdateContext) -> None:
    """Reply with a button for each language."""
    await context.reply_text(
        context.texts.gettext("Which language shall I speak?"), keyboards.languages()
    )


async def choose(context: UpdateContext, code: str) -> None:
    """Store the language of a pressed button."""
    if code not in LANGUAGES:
        await context.answer_query()
        return
    await context.services.users.choose_language(context.user, code)
    text = texts_in(code).gettext("From now on I speak English.")
    await context.answer_query(text)
    if not context.group:
        await context.edit_text(text)
        if await context.services.links.find(context.user) is not None:
            await show_team_menu(context.services.bot, context.user, texts_in(code))
