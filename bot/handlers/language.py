"""/language: choose a language, and keep the choice."""

from __future__ import annotations

from bot.context import Turn
from bot.i18n import LANGUAGES, words
from bot.replies import keyboards


async def language(turn: Turn) -> None:
    """Offer the languages."""
    await turn.reply(turn.words.say("Which language shall I speak?"), keyboards.languages())


async def chosen(turn: Turn, code: str) -> None:
    """Keep the language of a pressed button."""
    if code not in LANGUAGES:
        await turn.notice()
        return
    await turn.services.people.choose_language(turn.user, code)
    said = words(code).say("From now on I speak English.")
    await turn.notice(said)
    if not turn.group:
        await turn.edit(said)
