"""What the tests of the bot share: a service with the real model, a Telegram, a running bot."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.bot.bot_process import Runner, Work
from tests.bot.image_asserts import Judge
from tests.bot.telegram import Person, Telegram, running_telegram
from tests.server.server_process import Service as Place
from tests.server.server_process import running_service as running_place
from unmask.detector import SHIPPED_MODEL

#: Who runs the bot that the tests share.
ADMIN = 424242
#: Whom that bot never answers.
BLOCKED = 666666


@pytest.fixture(scope="package")
def anyio_backend() -> str:
    """One event loop for all of them: a bot goes on between two tests."""
    return "asyncio"


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("bot"), SHIPPED_MODEL) as running:
        yield running


@pytest.fixture(scope="package")
def judge() -> Judge:
    return Judge()


@pytest.fixture(scope="package")
def work(place: Place) -> Iterator[Work]:
    made = Work(place)
    yield made
    made.close()


class Site:
    """A site with pictures; ``host`` is found at loopback by bots that may."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[bytes, str]] = {}
        self.port = 0

    def publish(self, data: bytes, kind: str = "image/jpeg") -> str:
        """The URL of a new file."""
        name = f"{hashlib.sha256(data).hexdigest()[:12]}.jpg"
        self.files[name] = data, kind
        return f"http://pictures.example.org:{self.port}/{name}"

    async def serve(self, request: web.Request) -> web.Response:
        found = self.files.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        return web.Response(body=found[0], content_type=found[1])


@pytest.fixture(scope="package")
async def site(anyio_backend: str) -> AsyncIterator[Site]:
    made = Site()
    app = web.Application()
    app.router.add_get("/{name}", made.serve)
    async with TestServer(app) as server:
        made.port = server.port or 0
        yield made


@pytest.fixture(scope="package")
async def shared_telegram(anyio_backend: str, work: Work) -> AsyncIterator[Telegram]:
    async with telegram_of(work, 1) as running:
        yield running


@pytest.fixture(scope="package")
async def shared_bot(
    place: Place,
    shared_telegram: Telegram,
    site: Site,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Runner]:
    """The bot that tests share which need no other."""
    settings = {
        "bot_admins": str(ADMIN),
        "bot_blocked": str(BLOCKED),
        "public_url": "https://unmask.example.org",
        "bot_pictures_per_minute_chat": "0",
    }
    log = tmp_path_factory.mktemp("log") / "bot.log"
    runner = Runner(place, shared_telegram, log, **settings)
    await runner.start(*launched(site))
    yield runner
    await runner.stop()


@asynccontextmanager
async def telegram_of(work: Work, number: int) -> AsyncIterator[Telegram]:
    """A running Telegram that knows when its bot has nothing left to do."""
    telegram = Telegram(number)
    telegram.quiet.append(lambda: work.owes_nothing(telegram))
    async with running_telegram(telegram) as running:
        yield running


def launched(site: Site) -> tuple[str, ...]:
    """The command of a bot that may fetch from the site."""
    return sys.executable, "-m", "tests.bot.launch", str(site.port)


@pytest.fixture
async def telegram(shared_telegram: Telegram, shared_bot: Runner) -> AsyncIterator[Telegram]:
    """The Telegram of the shared bot. After each test: everything that the bot wrote was looked
    at, and nothing that it asked was refused but what the test foresaw."""
    shared_telegram.foreseen.clear()
    since = len(shared_telegram.calls)
    yield shared_telegram
    shared_telegram.faults.clear()
    await shared_telegram.settled()
    assert shared_bot.runs, shared_bot.said[-5000:]
    check_manners(shared_telegram, since)


def check_manners(telegram: Telegram, since: int = 0) -> None:
    """Fails if the bot broke a rule of Telegram, or wrote what no test looked at."""
    refused = [str(call) for call in telegram.refusals(since)]
    assert not refused, "Telegram refused:\n" + "\n".join(refused)
    untaken = [
        str(message)
        for chat in telegram.chats.values()
        for message in telegram.written(chat)[chat.taken :]
    ]
    for chat in telegram.chats.values():
        chat.taken = len(telegram.written(chat))
    assert not untaken, "the bot also wrote:\n" + "\n".join(untaken)


@pytest.fixture
def someone(telegram: Telegram) -> Callable[..., Person]:
    """A person who has never written to the shared bot; her name, language and number."""

    def made(name: str = "Ada", language: str = "en", number: int | None = None) -> Person:
        return Person(telegram, name, language, number)

    return made


@pytest.fixture
def ada(someone: Callable[..., Person]) -> Person:
    return someone()
