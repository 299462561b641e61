"""The menus of commands: those of all chats, and those of the team's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from telegram import Bot, BotCommand, BotCommandScope, BotCommandScopeChat
from telegram.error import BadRequest

from bot.i18n import texts_in
from bot.replies.commands import hide_team_menu, set_menu, show_team_menu
from unmask.i18n import LANGUAGES

pytestmark = pytest.mark.anyio
GROUP, ADMIN, UNKNOWN = -1001, 7, -1002
WORK = {"next", "mine", "case", "verdict", "send", "team"}
OWN = {"start", "help", "language", "privacy", "delete"}


@dataclass
class Menus:
    """Keeps menus as Telegram does; ``UNKNOWN`` is a chat that the bot is not in."""

    kept: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    async def set_my_commands(
        self, commands: list[BotCommand], scope: BotCommandScope, language_code: str | None = None
    ) -> None:
        if name_of(scope) == str(UNKNOWN):
            raise BadRequest("chat not found")
        menu = {command.command: command.description for command in commands}
        self.kept[name_of(scope), language_code or "en"] = menu

    async def delete_my_commands(self, scope: BotCommandScope) -> None:
        del self.kept[name_of(scope), "en"]

    @property
    def bot(self) -> Bot:
        return cast(Any, self)


def name_of(scope: BotCommandScope) -> str:
    return str(scope.chat_id) if isinstance(scope, BotCommandScopeChat) else scope.type


async def test_a_bot_without_a_team_has_no_commands_of_one() -> None:
    menus = Menus()
    await set_menu(menus.bot, chats=[GROUP])
    assert {name for name, _ in menus.kept} == {"all_private_chats", "all_group_chats"}
    for language in LANGUAGES:
        assert menus.kept["all_private_chats", language].keys() == OWN
        assert menus.kept["all_group_chats", language].keys() == {"check", "help"}


async def test_the_teams_chats_have_the_commands_of_its_work_in_every_language() -> None:
    menus = Menus()
    await set_menu(menus.bot, has_team=True, chats=[UNKNOWN, GROUP, ADMIN])
    for language in LANGUAGES:
        assert menus.kept["all_private_chats", language].keys() == OWN | {"link"}
        assert menus.kept["all_group_chats", language].keys() == {"check", "help"}
        assert menus.kept[str(GROUP), language].keys() == WORK | {"check", "help"}
        assert menus.kept[str(ADMIN), language].keys() == WORK | OWN | {"link"}
    for command in WORK:
        words = {menus.kept[str(GROUP), language][command] for language in LANGUAGES}
        assert len(words) == len(LANGUAGES), command


async def test_a_linked_person_has_them_as_long_as_the_link_lasts() -> None:
    menus = Menus()
    await show_team_menu(menus.bot, 4711, texts_in("de"))
    menu = menus.kept["4711", "en"]  # whatever the language of the person's Telegram is
    assert menu.keys() == WORK | OWN | {"unlink"}
    assert menu["privacy"] == texts_in("de").gettext("What is stored about you")
    await hide_team_menu(menus.bot, 4711)
    assert menus.kept == {}
    await show_team_menu(menus.bot, UNKNOWN, texts_in("de"))  # no harm
