"""The history of a chat: pictures are recognised as long as results are kept, at little cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFont
from redis import asyncio as aioredis

from bot.state.history import MAX_COMPARED, Entry, History
from bot.state.redis_keys import Keys
from tests.bot.unit.reports import report
from tests.conftest import Pixels
from tests.unmask.evidence.files import xmp
from tests.unmask.evidence.signs import with_label, with_star, words
from unmask.findings import Says
from unmask.images import Picture, open_picture
from unmask.report import Check, Door, State
from unmask.settings import Settings

pytestmark = pytest.mark.anyio
KEYS = Keys(7)
SETTINGS = Settings(retention=3_600)
CHAT = -5


class CheckQueue:
    """Checks that are all done, each with the same picture in the store."""

    model_version = "1"

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.read = 0
        self.report = report()

    async def get(self, check: str) -> Check:
        return done(check, "0" * 64).model_copy(update={"report": self.report})

    async def picture(self, check: str) -> bytes:
        self.read += 1
        return self.data


def done(check: str, sha256: str) -> Check:
    now = datetime.now(UTC)
    fields = {"id": check, "sha256": sha256, "door": Door.TELEGRAM, "model_version": "1"}
    return Check.model_validate(fields | {"state": State.DONE, "created": now, "expires": now})


def opened(pixels: Pixels, quality: int = 92) -> Picture:
    out = BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality)
    return open_picture(out.getvalue(), SETTINGS)


def changed(portrait: Pixels) -> Pixels:
    """The portrait with a change that the hash does not notice."""
    pixels = np.array(portrait)
    pixels[100:160, 190:250] = pixels[100:160, 190:250][:, ::-1]
    return pixels


def history_of(redis: aioredis.Redis, earlier: Picture) -> tuple[History, CheckQueue]:
    checks: Any = CheckQueue(earlier.data)
    return History(redis, KEYS, checks, SETTINGS), checks


async def test_a_picture_is_recognised_by_its_hash(redis: aioredis.Redis, portrait: Pixels) -> None:
    first, again = opened(portrait), opened(portrait, 60)
    history, _ = history_of(redis, first)
    earlier, phash = await history.find(CHAT, first)
    assert earlier is None and len(phash) == 16
    await history.remember(CHAT, done("a", first.sha256), 1, phash)
    earlier, same = await history.find(CHAT, first)
    assert earlier is not None and earlier.exact and same == phash
    earlier, similar = await history.find(CHAT, again)
    assert earlier is not None and not earlier.exact and earlier.entry.check == "a"
    assert (int(similar, 16) ^ int(phash, 16)).bit_count() <= 6
    assert (await history.find(CHAT - 1, again))[0] is None


async def test_new_pictures_of_a_chat_do_not_prolong_the_old_ones(
    redis: aioredis.Redis, portrait: Pixels
) -> None:
    picture = opened(portrait)
    history, _ = history_of(redis, picture)
    _, phash = await history.find(CHAT, picture)
    key = KEYS.history(CHAT)
    when = datetime.now(UTC) - timedelta(seconds=SETTINGS.retention)
    old = Entry(check="old", owner=1, sha256=picture.sha256, phash=phash, when=when)
    await redis.hset(key, "old", old.model_dump_json())
    await history.remember(CHAT, done("new", "1" * 64), 1, "")
    assert (await history.find(CHAT, picture))[0] is None
    assert await redis.hkeys(key) == ["new"]


async def test_of_many_similar_pictures_few_are_compared(
    redis: aioredis.Redis, portrait: Pixels
) -> None:
    """Somebody may send hundreds of pictures with one hash."""
    earlier, sent = opened(changed(portrait)), opened(portrait)
    history, checks = history_of(redis, earlier)
    _, phash = await history.find(CHAT, earlier)
    for number in range(3 * MAX_COMPARED):
        await history.remember(CHAT, done(str(number), str(number)), 1, phash)
    earlier_check, own = await history.find(CHAT, sent)
    assert earlier_check is None and own == phash, "this pair was made to have the same hash"
    assert checks.read == MAX_COMPARED


async def test_the_files_of_a_check(redis: aioredis.Redis, portrait: Pixels) -> None:
    history, _ = history_of(redis, opened(portrait))
    for unique, check in (("u", "a"), ("v", "b"), ("w", "a")):
        await history.remember_file(unique, check)
    assert await history.files_of("a", ["u", "v", "w", "x"]) == ["u", "w"]
    assert await history.files_of("a", []) == []
    await history.forget_file("u")
    assert await history.check_of_file("u") is None


async def test_a_file_that_tells_its_origin_is_not_answered_for_by_a_copy(
    redis: aioredis.Redis, portrait: Pixels
) -> None:
    plain = opened(portrait)
    out = BytesIO()
    credit = xmp({"XMP-photoshop:Credit": "Made with Google AI"})
    Image.fromarray(portrait).save(out, "JPEG", quality=60, xmp=credit)
    marked = open_picture(out.getvalue(), SETTINGS)
    history, checks = history_of(redis, plain)
    _, phash = await history.find(CHAT, plain)
    await history.remember(CHAT, done("a", plain.sha256), 1, phash)
    assert (await history.find(CHAT, opened(portrait, 60)))[0] is not None
    assert (await history.find(CHAT, marked))[0] is None
    checks.report = report().model_copy(update={"evidence_says": Says.GENERATED})
    assert (await history.find(CHAT, opened(portrait, 60)))[0] is None


@pytest.mark.parametrize("mark", ["star", "label"])
async def test_a_copy_with_a_visible_mark_is_not_answered_for_by_the_picture_without(
    redis: aioredis.Redis, portrait: Pixels, mark: str
) -> None:
    """On a bright picture a sign is too faint to make the two differ as a whole."""
    large = np.asarray(Image.fromarray(portrait // 5 + 200).resize((1_024, 1_024)))
    font = ImageFont.load_default(36)
    assert isinstance(font, ImageFont.FreeTypeFont)
    ink = words("AI generated", font)
    marked = with_star(large, 40, 0.5) if mark == "star" else with_label(large, ink, opacity=0.6)
    history, _ = history_of(redis, opened(large))
    _, phash = await history.find(CHAT, opened(large))
    await history.remember(CHAT, done("a", "1" * 64), 1, phash)
    for quality in (95, 80, 60):
        copy, sent = opened(large, quality), opened(marked, quality)
        assert (await history.find(CHAT, copy))[0] is not None
        assert (await history.find(CHAT, sent))[0] is None
