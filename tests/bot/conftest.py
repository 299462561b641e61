"""Fixtures of the bot's tests: a service with the real model, a Telegram, a running bot."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.bot.bot_process import BotProcess, QueueProbe
from tests.bot.image_asserts import ReferenceDetector
from tests.bot.telegram import Person, Telegram, running_telegram
from tests.server.server_process import Service, running_service
from unmask.settings import SHIPPED_MODEL

#: The administrator of the bot that the tests share.
ADMIN = 424242
#: A user whom that bot never answers.
BLOCKED = 666666


@pytest.fixture(scope="package")
def anyio_backend() -> str:
    """One event loop for all tests, because the bot keeps running between two of them."""
    return "asyncio"


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("bot"), SHIPPED_MODEL) as running:
        yield running


@pytest.fixture(scope="package")
def detector() -> ReferenceDetector:
    return ReferenceDetector()


@pytest.fixture(scope="package")
def queue(service: Service) -> Iterator[QueueProbe]:
    probe = QueueProbe(service)
    yield probe
    probe.close()


class Site:
    """A web site with pictures, on loopback under a public name."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[bytes, str]] = {}
        self.port = 0

    def publish(self, data: bytes, kind: str = "image/jpeg") -> str:
        """Add a file; returns its URL."""
        name = f"{hashlib.sha256(data).hexdigest()[:12]}.jpg"
        self.files[name] = data, kind
        return f"http://pictures.example.org:{self.port}/{name}"

    async def serve(self, request: web.Request) -> web.Response:
        file = self.files.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        data, kind = file
        return web.Response(body=data, content_type=kind)


@pytest.fixture(scope="package")
async def site(anyio_backend: str) -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_get("/{name}", site.serve)
    async with TestServer(app) as server:
        site.port = server.port or 0
        yield site


@pytest.fixture(scope="package")
async def shared_telegram(anyio_backend: str, queue: QueueProbe) -> AsyncIterator[Telegram]:
    async with telegram_of(queue, 1) as running:
        yield running


@pytest.fixture(scope="package")
async def shared_bot(
    service: Service,
    shared_telegram: Telegram,
    site: Site,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[BotProcess]:
    """The bot for all tests that do not need one of their own."""
    settings = {
        "bot_admins": str(ADMIN),
        "bot_blocked": str(BLOCKED),
        "public_url": "https://unmask.example.org",
        "bot_pictures_per_minute_chat": "0",
    }
    log = tmp_path_factory.mktemp("log") / "bot.log"
    bot = BotProcess(service, shared_telegram, log, **settings)
    await bot.start(*launch_command(site))
    yield bot
    await bot.stop()
    check_no_secret(bot)


@asynccontextmanager
async def telegram_of(queue: QueueProbe, number: int) -> AsyncIterator[Telegram]:
    """A running Telegram; it counts as settled only when its bot and the queue are idle."""
    telegram = Telegram(number)
    telegram.idle_conditions.append(lambda: queue.owes_nothing(telegram))
    async with running_telegram(telegram) as running:
        yield running


def launch_command(site: Site) -> tuple[str, ...]:
    """The command that starts a bot which may fetch from the site."""
    return sys.executable, "-m", "tests.bot.launch", str(site.port)


@pytest.fixture
async def telegram(shared_telegram: Telegram, shared_bot: BotProcess) -> AsyncIterator[Telegram]:
    """The Telegram of the shared bot. After each test the fixture fails if the bot wrote messages
    that the test did not read, or made calls that Telegram refused unexpectedly."""
    shared_telegram.expected_refusals.clear()
    since = len(shared_telegram.calls)
    yield shared_telegram
    shared_telegram.faults.clear()
    await shared_telegram.settled()
    assert shared_bot.is_running, shared_bot.log_text[-5000:]
    check_manners(shared_telegram, since)


def check_no_secret(bot: BotProcess) -> None:
    """Fail if the bot's token is in its log or in a message that it sent."""
    secret = bot.telegram.token.partition(":")[2]
    assert secret not in bot.log_text
    assert not [call for call in bot.telegram.calls if secret in str(call.params)]


def check_manners(telegram: Telegram, since: int = 0) -> None:
    """Fail if the bot broke a rule of Telegram, or wrote a message that no test read."""
    refused = [str(call) for call in telegram.refusals(since)]
    assert not refused, "Telegram refused:\n" + "\n".join(refused)
    unread = [
        str(message)
        for chat in telegram.chats.values()
        for message in telegram.written(chat)[chat.read_count :]
    ]
    for chat in telegram.chats.values():
        chat.read_count = len(telegram.written(chat))
    assert not unread, "the bot also wrote:\n" + "\n".join(unread)


@pytest.fixture
def new_person(telegram: Telegram) -> Callable[..., Person]:
    """Makes a person who has never written to the shared bot, from a name, language and number."""

    def make(name: str = "Ada", language: str = "en", number: int | None = None) -> Person:
        return Person(telegram, name, language, number)

    return make


@pytest.fixture
def ada(new_person: Callable[..., Person]) -> Person:
    return new_person()
