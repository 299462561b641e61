"""A bot before a team's desk: a real server with a desk, a team, and a bot with the team's key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from desk.service import open_desk
from tests.bot.bot_process import BotProcess, QueueProbe
from tests.bot.conftest import Site, check_no_secret, launch_command, telegram_of
from tests.bot.telegram import Person, Telegram
from tests.desk.play import Play
from tests.server.server_process import Service, served_in_thread
from unmask.permissions import Scope

#: Prepares the team before the bot starts; returns the bot's settings beside those of the desk.
Prepare = Callable[[Play, Telegram], Awaitable[dict[str, str]]]


@dataclass
class Office:
    """What a test needs of it; ``command`` starts the bot again."""

    telegram: Telegram
    play: Play
    bot: BotProcess
    command: tuple[str, ...]

    async def ask(self, person: Person, text: str) -> str:
        await person.says(text)
        return (await person.answer()).text

    async def linked(self, name: str, person: int) -> Person:
        """Somebody on Telegram who is linked to a member of the team."""
        somebody = Person(self.telegram, name, "en")
        code = await self.play.desk.linked.make_code(person)
        assert "Linked" in await self.ask(somebody, f"/link {code}")
        return somebody


@asynccontextmanager
async def office_of(
    service: Service, queue: QueueProbe, site: Site, log: Path, number: int, prepare: Prepare
) -> AsyncIterator[Office]:
    """The office while the block is entered; ``number`` is that of its bot."""
    async with AsyncExitStack() as stack:
        url = stack.enter_context(served_in_thread(service, with_desk=True))
        desk = await stack.enter_async_context(open_desk(service.settings()))
        play = await Play.begin(desk, f"bot-desk-{number}")
        scopes = (Scope.DESK_SEND, Scope.DESK_READ, Scope.DESK_BOT)
        key, _ = await desk.keys.create(play.ada, "the bot", scopes)
        telegram = await stack.enter_async_context(telegram_of(queue, number))
        own = await prepare(play, telegram)
        bot = BotProcess(
            service,
            telegram,
            log,
            bot_desk_url=url,
            bot_desk_key=key,
            public_url="https://unmask.example.org",
            **own,
        )
        command = launch_command(site)
        await bot.start(*command)
        yield Office(telegram, play, bot, command)
        await bot.stop()
        check_no_secret(bot)
        assert key not in bot.log_text
