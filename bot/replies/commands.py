"""The menu of commands that Telegram shows, in every language."""

from __future__ import annotations

from telegram import Bot, BotCommand, BotCommandScopeAllGroupChats, BotCommandScopeAllPrivateChats

from bot.i18n import texts_in
from unmask.i18n import DEFAULT, LANGUAGES, Texts, gettext_noop

_PRIVATE = {
    "start": gettext_noop("How to begin"),
    "help": gettext_noop("What I can do"),
    "language": gettext_noop("Change the language"),
    "privacy": gettext_noop("What is stored about you"),
    "delete": gettext_noop("Delete what is stored about you"),
}
_GROUP = {"check": gettext_noop("Reply with this to a picture"), "help": _PRIVATE["help"]}


async def set_menu(bot: Bot) -> None:
    """Set the menu of commands in every language."""
    for language in LANGUAGES:
        texts = texts_in(language)
        code = "" if language == DEFAULT else language
        for names, scope in (
            (_PRIVATE, BotCommandScopeAllPrivateChats()),
            (_GROUP, BotCommandScopeAllGroupChats()),
        ):
            await bot.set_my_commands(_commands(texts, names), scope, language_code=code or None)


def _commands(texts: Texts, names: dict[str, str]) -> list[BotCommand]:
    return [BotCommand(name, texts.gettext(text)) for name, text in names.items()]
