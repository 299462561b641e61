"""The way of an order, where Telegram, the queue or the token fail at the worst moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from unittest.mock import AsyncMock

import pytest
from PIL import Image
from redis import asyncio as aioredis
from telegram.error import InvalidToken, NetworkError

from bot import pipeline
from bot.pipeline import Pipeline
from bot.state.history import Past
from bot.state.redis_keys import Keys
from bot.state.reply_queue import Item, Kind, Order, OrderBook
from bot.transport import retry
from tests.conftest import Pixels
from unmask.errors import UnmaskError
from unmask.images import Picture
from unmask.images.similarity import look
from unmask.report import Check, Door, State
from unmask.settings import Settings

pytestmark = pytest.mark.anyio
KEYS = Keys(7)
SETTINGS = Settings()


class Checks:
    """Every picture is examined at once, and well."""

    model_version = "1"

    def __init__(self) -> None:
        self.made: dict[str, Check] = {}

    async def submit(self, picture: Picture, **_: Any) -> Check:
        now = datetime.now(UTC)
        about = {"id": f"c{len(self.made)}", "sha256": picture.sha256, "created": now}
        about |= {"door": Door.TELEGRAM, "model_version": "1", "expires": now, "state": State.DONE}
        check = Check.model_validate(about)
        self.made[check.id] = check
        return check

    async def wait(self, check: str, seconds: float) -> Check:
        return self.made[check]

    async def get(self, check: str) -> Check:
        return self.made[check]


class Stage:
    """A pipeline whose Telegram fails as ``failures`` say, then hands ``data`` over."""

    def __init__(self, redis: aioredis.Redis, data: bytes) -> None:
        self.failures: list[Exception] = []
        self.answered: list[Order] = []
        self.refusal: Exception | None = None
        self.reading: list[Kind] = []
        self.may_read = asyncio.Event()
        self.may_read.set()
        self.data = data
        self.book = OrderBook(redis, KEYS)
        checks: Any = Checks()
        self.checks = checks
        self.past = Past(redis, KEYS, checks, SETTINGS)
        self.pipeline = self.started_again()

    def started_again(self) -> Pipeline:
        own: Any = self  # it reads files and gives answers
        self.pipeline = Pipeline(
            bot=AsyncMock(),
            book=self.book,
            checks=self.checks,
            files=own,
            past=self.past,
            people=AsyncMock(),
            answers=own,
            counters=AsyncMock(),
            settings=SETTINGS,
        )
        return self.pipeline

    async def read(self, item: Item) -> bytes:
        if self.failures:
            raise self.failures.pop(0)
        self.reading.append(item.kind)
        await self.may_read.wait()
        return self.data

    async def send(self, order: Order) -> None:
        if self.refusal:
            raise self.refusal
        self.answered.append(order.model_copy(deep=True))

    async def ended(self) -> None:
        while self.pipeline._tasks:
            await asyncio.sleep(0.01)

    @property
    def messages(self) -> list[list[int]]:
        """The messages of each answer."""
        return [[item.message for item in order.items] for order in self.answered]


@pytest.fixture
async def stage(
    redis: aioredis.Redis, portrait: Pixels, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    monkeypatch.setattr(retry, "_FIRST_PAUSE", 0.0)
    out = BytesIO()
    Image.fromarray(portrait).save(out, "JPEG")
    made = Stage(redis, out.getvalue())
    yield made
    await made.pipeline.close()


def order(message: int = 1, name: str = "one", **more: Any) -> Order:
    item = Item(kind=Kind.PHOTO, message=message, file="f")
    about = {"id": name, "chat": 1, "group": False, "reply_to": message, "asker": 1}
    return Order.model_validate(about | {"language": "en", "items": [item]} | more)


async def test_telegram_is_away_while_a_picture_is_fetched(stage: Stage) -> None:
    stage.failures = [NetworkError("gone")] * 40
    await stage.pipeline.take(order(), 1)
    await stage.ended()
    (answered,) = stage.answered
    assert answered.items[0].error is None and not stage.failures


async def test_some_day_a_picture_is_given_up_with_true_words(stage: Stage) -> None:
    stage.failures = [NetworkError("gone")] * 40
    await stage.pipeline.take(order(created=0.0), 1)
    await stage.ended()
    (answered,) = stage.answered
    assert answered.items[0].error is not None
    assert answered.items[0].error["code"] == "not_served"


async def test_who_waits_for_telegram_is_in_nobodys_way(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a picture that Telegram does not hand over just now is waited for, others are."""
    monkeypatch.setattr(retry, "_FIRST_PAUSE", 60.0)
    stage.failures = [NetworkError("gone")] * pipeline.TOGETHER
    for number in range(pipeline.TOGETHER):
        await stage.pipeline.take(order(name=str(number)), number)
    while stage.failures:
        await asyncio.sleep(0.01)
    await stage.pipeline.take(order(name="last"), 99)
    while not stage.answered:
        await asyncio.sleep(0.01)
    assert [one.id for one in stage.answered] == ["last"]


async def test_few_pictures_lie_in_memory_together(stage: Stage) -> None:
    """And slow sites hold up no photo."""
    stage.may_read.clear()
    link = Item(kind=Kind.URL, message=1, url="https://example.org/a.jpg")
    for number in range(2 * pipeline.TOGETHER):
        await stage.pipeline.take(order(name=f"link {number}", items=[link]), 1)
    for number in range(2 * pipeline.TOGETHER):
        await stage.pipeline.take(order(name=f"photo {number}"), 1)
    await asyncio.sleep(0.1)
    assert (
        sorted(stage.reading) == [Kind.PHOTO] * pipeline.TOGETHER + [Kind.URL] * pipeline.TOGETHER
    )
    stage.may_read.set()
    await stage.ended()
    assert len(stage.answered) == 4 * pipeline.TOGETHER


async def test_a_picture_is_decoded_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """To be known again it is looked at, the same file not even that."""
    looked = 0

    def counted(data: bytes, settings: Settings) -> Any:
        nonlocal looked
        looked += 1
        return look(data, settings)

    monkeypatch.setattr("bot.state.history.look", counted)
    for name in ("one", "two"):
        await stage.pipeline.take(order(name=name), 1)
        await stage.ended()
        assert looked == 1
    first, second = stage.answered
    assert first.items[0].earlier is None and second.items[0].earlier is not None
    (entry,) = await stage.past._entries(1)
    assert entry.bits and entry.bits == first.items[0].bits


@pytest.mark.parametrize("where", ["download", "answer"])
async def test_a_token_that_is_revoked_meanwhile(stage: Stage, where: str) -> None:
    """What is owed waits for the bot to be started with another."""
    if where == "download":
        stage.failures = [InvalidToken("Unauthorized")]
    else:
        stage.refusal = InvalidToken("Unauthorized")
    await stage.pipeline.take(order(), 1)
    await stage.ended()
    assert await stage.book.count() == 1 and not stage.answered
    stage.refusal = None
    await stage.started_again().resume()
    await stage.ended()
    assert await stage.book.count() == 0
    assert [item.error for one in stage.answered for item in one.items] == [None]


def failing_once(enter: Callable[..., Any], on: int) -> Callable[..., Any]:
    """``OrderBook.enter`` where Redis is away for one call."""
    calls = 0

    async def called(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == on:
            raise UnmaskError("queue_unavailable", "away")
        await enter(*arguments)

    return called


@pytest.mark.parametrize("on", [1, 2])
async def test_a_part_of_an_album_that_was_not_written_down(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, on: int
) -> None:
    """It is brought again, also after the album was answered; and answered for once."""
    monkeypatch.setattr(pipeline, "ALBUM_SECONDS", 0.1)
    monkeypatch.setattr(stage.book, "enter", failing_once(stage.book.enter, on))
    for message in (1, 2):
        try:
            await stage.pipeline.take_part(order(message, "album"), message)
        except UnmaskError:
            await stage.ended()
            assert not stage.pipeline.is_collecting("album")
            await stage.pipeline.take_part(order(message, "album"), message)
    await stage.ended()
    assert stage.messages == ([[1, 2]] if on == 1 else [[1], [2]])
    assert await stage.book.count() == 0


async def test_an_album_waits_for_a_part_that_is_being_written_down(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "ALBUM_SECONDS", 0.1)
    enter, written = stage.book.enter, asyncio.Event()

    async def slow(one: Order, update_id: int) -> None:
        if update_id == 2:
            await written.wait()
        await enter(one, update_id)

    monkeypatch.setattr(stage.book, "enter", slow)
    await stage.pipeline.take_part(order(1, "album"), 1)
    joining = asyncio.create_task(stage.pipeline.take_part(order(2, "album"), 2))
    await asyncio.sleep(0.3)  # longer than an album is waited for
    written.set()
    await joining
    await stage.ended()
    assert stage.messages == [[1, 2]]
