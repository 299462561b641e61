"""/language: choose a language, and keep the choice."""

from __future__ import annotations

from bot import buttons
from bot.turn import Turn
from bot.words import LANGUAGES, words


async def language(turn: Turn) -> None:
    """Offer the languages."""
    await turn.reply(turn.words.say("Which language shall I speak?"), buttons.languages())


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
