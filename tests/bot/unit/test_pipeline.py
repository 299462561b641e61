"""The way of a reply while Telegram, the queue or the token fail at the worst moment."""

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
from bot.examination import CONCURRENCY, Examination
from bot.pipeline import Pipeline
from bot.state.history import History
from bot.state.redis_keys import Keys
from bot.state.reply_queue import Item, Kind, Reply, ReplyStore, SentPicture
from bot.transport import retry
from tests.bot.unit.reports import report
from tests.conftest import Pixels
from unmask.errors import UnmaskError
from unmask.images import Picture
from unmask.images.similarity import look
from unmask.report import Check, Door, State
from unmask.settings import Settings

pytestmark = pytest.mark.anyio
KEYS = Keys(7)
SETTINGS = Settings()


class CheckQueue:
    """A queue in which every check succeeds at once."""

    model_version = "1"

    def __init__(self) -> None:
        self.made: dict[str, Check] = {}

    async def submit(self, picture: Picture, **_: Any) -> Check:
        now = datetime.now(UTC)
        fields = {"id": f"c{len(self.made)}", "sha256": picture.sha256, "created": now}
        fields |= {"door": Door.TELEGRAM, "model_version": "1", "expires": now, "state": State.DONE}
        check = Check.model_validate(fields | {"report": report()})
        self.made[check.id] = check
        return check

    async def wait(self, check: str, seconds: float) -> Check:
        return self.made[check]

    async def get(self, check: str) -> Check:
        return self.made[check]


class Files:
    """Raises each of ``failures``, then returns ``data`` as soon as it may."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.failures: list[Exception] = []
        self.reading: list[Kind] = []
        self.may_read = asyncio.Event()
        self.may_read.set()

    async def read(self, sent: SentPicture, user: int) -> tuple[bytes, tuple[()]]:
        if self.failures:
            raise self.failures.pop(0)
        self.reading.append(sent.kind)
        await self.may_read.wait()
        return self.data, ()


class Sender:
    """Keeps the replies that it sends, unless there is a ``refusal`` to raise."""

    def __init__(self) -> None:
        self.sent: list[Reply] = []
        self.refusal: Exception | None = None

    async def send(self, reply: Reply) -> None:
        if self.refusal:
            raise self.refusal
        self.sent.append(reply.model_copy(deep=True))


class PipelineHarness:
    """A pipeline with a real Redis; its checks, files and sender are those of the test."""

    def __init__(self, redis: aioredis.Redis, data: bytes) -> None:
        self.files = Files(data)
        self.sender = Sender()
        self.replies = ReplyStore(redis, KEYS)
        checks: Any = CheckQueue()
        self.checks = checks
        self.history = History(redis, KEYS, checks, SETTINGS)
        self.pipeline = self.restart()

    def restart(self) -> Pipeline:
        """A new pipeline, as after a restart of the bot."""
        files: Any = self.files
        sender: Any = self.sender
        examination = Examination(
            replies=self.replies,
            checks=self.checks,
            files=files,
            history=self.history,
            users=AsyncMock(),
            settings=SETTINGS,
        )
        self.pipeline = Pipeline(
            bot=AsyncMock(),
            replies=self.replies,
            examination=examination,
            sender=sender,
            counters=AsyncMock(),
            settings=SETTINGS,
        )
        return self.pipeline

    async def finish(self) -> None:
        """Wait until the pipeline has nothing left to do."""
        while self.pipeline._tasks:
            await asyncio.sleep(0.01)

    @property
    def messages(self) -> list[list[int]]:
        """The messages that each reply is about."""
        return [[item.sent.message for item in reply.items] for reply in self.sender.sent]


@pytest.fixture
async def harness(
    redis: aioredis.Redis, portrait: Pixels, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PipelineHarness]:
    monkeypatch.setattr(retry, "_FIRST_PAUSE", 0.0)
    out = BytesIO()
    Image.fromarray(portrait).save(out, "JPEG")
    harness = PipelineHarness(redis, out.getvalue())
    yield harness
    await harness.pipeline.close()


def new_reply(message: int = 1, name: str = "one", **fields: Any) -> Reply:
    item = Item(sent=SentPicture(kind=Kind.PHOTO, message=message, file="f"))
    required = {"id": name, "chat": 1, "group": False, "reply_to": message, "user": 1}
    return Reply.model_validate(required | {"language": "en", "items": [item]} | fields)


async def test_telegram_is_away_while_a_picture_is_fetched(harness: PipelineHarness) -> None:
    harness.files.failures = [NetworkError("gone")] * 40
    await harness.pipeline.take(new_reply(), 1)
    await harness.finish()
    (reply,) = harness.sender.sent
    assert reply.items[0].outcome.error is None and not harness.files.failures


async def test_a_picture_is_given_up_at_the_deadline_and_the_user_is_told(
    harness: PipelineHarness,
) -> None:
    harness.files.failures = [NetworkError("gone")] * 40
    await harness.pipeline.take(new_reply(created=0.0), 1)
    await harness.finish()
    (reply,) = harness.sender.sent
    assert reply.items[0].outcome.error is not None
    assert reply.items[0].outcome.error["code"] == "not_served"


async def test_a_picture_that_waits_for_telegram_takes_no_slot(
    harness: PipelineHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While Telegram does not hand over some pictures, others are fetched."""
    monkeypatch.setattr(retry, "_FIRST_PAUSE", 60.0)
    harness.files.failures = [NetworkError("gone")] * CONCURRENCY
    for number in range(CONCURRENCY):
        await harness.pipeline.take(new_reply(name=str(number)), number)
    while harness.files.failures:
        await asyncio.sleep(0.01)
    await harness.pipeline.take(new_reply(name="last"), 99)
    while not harness.sender.sent:
        await asyncio.sleep(0.01)
    assert [reply.id for reply in harness.sender.sent] == ["last"]


async def test_few_pictures_are_in_memory_at_the_same_time(harness: PipelineHarness) -> None:
    """And slow sites delay no photo."""
    harness.files.may_read.clear()
    link = Item(sent=SentPicture(kind=Kind.URL, message=1, url="https://example.org/a.jpg"))
    for number in range(2 * CONCURRENCY):
        await harness.pipeline.take(new_reply(name=f"link {number}", items=[link]), 1)
    for number in range(2 * CONCURRENCY):
        await harness.pipeline.take(new_reply(name=f"photo {number}"), 1)
    await asyncio.sleep(0.1)
    assert sorted(harness.files.reading) == [Kind.PHOTO] * CONCURRENCY + [Kind.URL] * CONCURRENCY
    harness.files.may_read.set()
    await harness.finish()
    assert len(harness.sender.sent) == 4 * CONCURRENCY


async def test_a_picture_is_decoded_once(
    harness: PipelineHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its hash is computed once; the same file is not decoded at all."""
    calls = 0

    def counting_look(data: bytes, settings: Settings) -> Any:
        nonlocal calls
        calls += 1
        return look(data, settings)

    monkeypatch.setattr("bot.state.history.look", counting_look)
    for name in ("one", "two"):
        await harness.pipeline.take(new_reply(name=name), 1)
        await harness.finish()
        assert calls == 1
    first, second = (reply.items[0].outcome for reply in harness.sender.sent)
    assert first.earlier is None and second.earlier is not None
    (entry,) = await harness.history._entries(1)
    assert entry.phash and entry.phash == first.phash


@pytest.mark.parametrize("where", ["download", "reply"])
async def test_a_token_that_is_revoked_in_between(harness: PipelineHarness, where: str) -> None:
    """The owed reply waits for a start with another token."""
    if where == "download":
        harness.files.failures = [InvalidToken("Unauthorized")]
    else:
        harness.sender.refusal = InvalidToken("Unauthorized")
    await harness.pipeline.take(new_reply(), 1)
    await harness.finish()
    assert await harness.replies.count() == 1 and not harness.sender.sent
    harness.sender.refusal = None
    await harness.restart().resume()
    await harness.finish()
    assert await harness.replies.count() == 0
    assert [item.outcome.error for reply in harness.sender.sent for item in reply.items] == [None]


def failing_once(add: Callable[..., Any], on: int) -> Callable[..., Any]:
    """``ReplyStore.add`` with Redis away for one call."""
    calls = 0

    async def call(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == on:
            raise UnmaskError("queue_unavailable", "away")
        await add(*arguments)

    return call


@pytest.mark.parametrize("on", [1, 2])
async def test_a_picture_of_an_album_that_was_not_stored(
    harness: PipelineHarness, monkeypatch: pytest.MonkeyPatch, on: int
) -> None:
    """It is delivered again, perhaps after the album's reply, and gets exactly one reply."""
    monkeypatch.setattr(pipeline, "ALBUM_SECONDS", 0.1)
    monkeypatch.setattr(harness.replies, "add", failing_once(harness.replies.add, on))
    for message in (1, 2):
        try:
            await harness.pipeline.take_part(new_reply(message, "album"), message)
        except UnmaskError:
            await harness.finish()
            assert not harness.pipeline.is_collecting("album")
            await harness.pipeline.take_part(new_reply(message, "album"), message)
    await harness.finish()
    assert harness.messages == ([[1, 2]] if on == 1 else [[1], [2]])
    assert await harness.replies.count() == 0


async def test_an_album_waits_for_a_picture_that_is_being_stored(
    harness: PipelineHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "ALBUM_SECONDS", 0.1)
    add, may_store = harness.replies.add, asyncio.Event()

    async def slow_add(reply: Reply, update_id: int) -> None:
        if update_id == 2:
            await may_store.wait()
        await add(reply, update_id)

    monkeypatch.setattr(harness.replies, "add", slow_add)
    await harness.pipeline.take_part(new_reply(1, "album"), 1)
    joining = asyncio.create_task(harness.pipeline.take_part(new_reply(2, "album"), 2))
    await asyncio.sleep(0.3)  # longer than the pipeline waits for an album
    may_store.set()
    await joining
    await harness.finish()
    assert harness.messages == [[1, 2]]
