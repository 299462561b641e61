"""The list of commands that Telegram shows, in every language."""

from __future__ import annotations

from telegram import Bot, BotCommand, BotCommandScopeAllGroupChats, BotCommandScopeAllPrivateChats

from bot.i18n import DEFAULT, LANGUAGES, Words, later, words

_PRIVATE = {
    "start": later("How to begin"),
    "help": later("What I can do"),
    "language": later("Change the language"),
    "privacy": later("What is kept of you"),
    "delete": later("Delete what is kept of you"),
}
_GROUP = {"check": later("Reply with this to a picture"), "help": _PRIVATE["help"]}


async def set_menu(bot: Bot) -> None:
    """Tell Telegram the commands."""
    for language in LANGUAGES:
        said = words(language)
        code = "" if language == DEFAULT else language
        for names, scope in (
            (_PRIVATE, BotCommandScopeAllPrivateChats()),
            (_GROUP, BotCommandScopeAllGroupChats()),
        ):
            await bot.set_my_commands(_commands(said, names), scope, language_code=code or None)


def _commands(said: Words, names: dict[str, str]) -> list[BotCommand]:
    return [BotCommand(name, said.say(text)) for name, text in names.items()]
