"""The menu of commands that Telegram shows, in every language.

Telegram takes a menu for all private chats, for all groups, and for one chat, which replaces the
others there. What a team's bot does in the team's chats stands in the menus of those alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
)
from telegram.error import TelegramError

from bot.i18n import texts_in
from unmask.i18n import DEFAULT, LANGUAGES, Texts, gettext_noop

_log = logging.getLogger(__name__)
_PRIVATE = {
    "start": gettext_noop("How to begin"),
    "help": gettext_noop("What I can do"),
    "language": gettext_noop("Change the language"),
    "privacy": gettext_noop("What is stored about you"),
    "delete": gettext_noop("Delete what is stored about you"),
}
_GROUP = {"check": gettext_noop("Reply with this to a picture"), "help": _PRIVATE["help"]}
_LINK = {"link": gettext_noop("Work as a member of the team")}
_UNLINK = {"unlink": gettext_noop("No longer work as a member of the team")}
#: In the chats of a team, before the others.
_TEAM = {
    "next": gettext_noop("Take the best open case"),
    "mine": gettext_noop("The cases that you hold"),
    "case": gettext_noop("How a case stands, by its number"),
    "verdict": gettext_noop("Give your verdict on a case"),
    "send": gettext_noop("Send a picture to the team: reply to it with this"),
    "team": gettext_noop("The team, and who you are in it"),
}


async def set_menu(bot: Bot, *, has_team: bool = False, chats: Iterable[int] = ()) -> None:
    """Set the menus in every language: for all chats, and for those of the team by their ids.

    Raises TelegramError; but a chat of the team that Telegram does not know, since the bot is not
    in it yet, only has no menu.
    """
    private = _PRIVATE | (_LINK if has_team else {})
    await _set_in_all(bot, BotCommandScopeAllPrivateChats(), private)
    await _set_in_all(bot, BotCommandScopeAllGroupChats(), _GROUP)
    for chat in chats if has_team else ():
        try:
            await _set_in_all(bot, BotCommandScopeChat(chat), _of_team(chat))
        except TelegramError as error:
            _log.warning("a chat of the team has no menu", extra={"why": type(error).__name__})


async def show_team_menu(bot: Bot, user: int, texts: Texts) -> None:
    """Show a person who is linked what there is to do, in the private chat with the bot. That it
    fails is no harm."""
    commands = _commands(texts, _of_team(user, is_linked=True))
    try:
        await bot.set_my_commands(commands, BotCommandScopeChat(user))
    except TelegramError as error:
        _log.warning("a linked person has no menu", extra={"why": type(error).__name__})


async def hide_team_menu(bot: Bot, user: int) -> None:
    """Show a person who is linked no longer the menu of all. That it fails is no harm."""
    try:
        await bot.delete_my_commands(BotCommandScopeChat(user))
    except TelegramError as error:
        _log.warning("a menu is left", extra={"why": type(error).__name__})


def _of_team(chat: int, *, is_linked: bool = False) -> dict[str, str]:
    """The commands in a chat of the team: one of several people has a negative id."""
    if chat < 0:
        return _TEAM | _GROUP
    return _TEAM | (_UNLINK if is_linked else _LINK) | _PRIVATE


async def _set_in_all(bot: Bot, scope: BotCommandScope, names: dict[str, str]) -> None:
    for language in LANGUAGES:
        code = None if language == DEFAULT else language
        await bot.set_my_commands(_commands(texts_in(language), names), scope, language_code=code)


def _commands(texts: Texts, names: dict[str, str]) -> list[BotCommand]:
    return [BotCommand(name, texts.gettext(text)) for name, text in names.items()]
