"""What a chat was shown before: known again for as long as results are kept, at little cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from redis import asyncio as aioredis

from bot.state.history import MOST_COMPARED, Entry, Past
from bot.state.redis_keys import Keys
from tests.bot.unit.reports import report
from tests.conftest import Pixels
from unmask.images import Picture, open_picture
from unmask.report import Check, Door, State
from unmask.settings import Settings

pytestmark = pytest.mark.anyio
KEYS = Keys(7)
SETTINGS = Settings(retention=3_600)
CHAT = -5


class Checks:
    """Checks that are all done; of each the same picture is in the store."""

    model_version = "1"

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.read = 0

    async def get(self, check: str) -> Check:
        return done(check, "0" * 64)

    async def picture(self, check: str) -> bytes:
        self.read += 1
        return self.data

    async def report(self, check: str) -> Any:
        return report()


def done(check: str, sha256: str) -> Check:
    now = datetime.now(UTC)
    about = {"id": check, "sha256": sha256, "door": Door.TELEGRAM, "model_version": "1"}
    return Check.model_validate(about | {"state": State.DONE, "created": now, "expires": now})


def opened(pixels: Pixels, quality: int = 92) -> Picture:
    out = BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality)
    return open_picture(out.getvalue(), SETTINGS)


def another(portrait: Pixels) -> Pixels:
    """The portrait with something in it that the hash does not see."""
    pixels = np.array(portrait)
    pixels[100:160, 190:250] = pixels[100:160, 190:250][:, ::-1]
    return pixels


def remembering(redis: aioredis.Redis, earlier: Picture) -> tuple[Past, Checks]:
    checks: Any = Checks(earlier.data)
    return Past(redis, KEYS, checks, SETTINGS), checks


async def test_a_picture_is_known_by_the_hash_that_was_found(
    redis: aioredis.Redis, portrait: Pixels
) -> None:
    first, again = opened(portrait), opened(portrait, 60)
    past, _ = remembering(redis, first)
    known, bits = await past.find(CHAT, first)
    assert known is None and len(bits) == 16
    await past.remember(CHAT, done("a", first.sha256), 1, bits)
    known, same = await past.find(CHAT, first)
    assert known is not None and known.exact and same == bits
    known, like = await past.find(CHAT, again)
    assert known is not None and not known.exact and known.entry.check == "a"
    assert (int(like, 16) ^ int(bits, 16)).bit_count() <= 6
    assert (await past.find(CHAT - 1, again))[0] is None


async def test_in_a_chat_that_goes_on_nothing_is_remembered_for_longer(
    redis: aioredis.Redis, portrait: Pixels
) -> None:
    picture = opened(portrait)
    past, _ = remembering(redis, picture)
    _, bits = await past.find(CHAT, picture)
    key = KEYS.of("past", CHAT)
    when = datetime.now(UTC) - timedelta(seconds=SETTINGS.retention)
    old = Entry(check="old", owner=1, sha256=picture.sha256, bits=bits, when=when)
    await redis.hset(key, "old", old.model_dump_json())
    await past.remember(CHAT, done("new", "1" * 64), 1, "")
    assert (await past.find(CHAT, picture))[0] is None
    assert await redis.hkeys(key) == ["new"]


async def test_of_many_that_look_alike_few_are_compared(
    redis: aioredis.Redis, portrait: Pixels
) -> None:
    """Somebody may send hundreds of pictures with one hash."""
    earlier, sent = opened(another(portrait)), opened(portrait)
    past, checks = remembering(redis, earlier)
    _, bits = await past.find(CHAT, earlier)
    for number in range(3 * MOST_COMPARED):
        await past.remember(CHAT, done(str(number), str(number)), 1, bits)
    known, own = await past.find(CHAT, sent)
    assert known is None and own == bits, "this pair was made to differ in no bit"
    assert checks.read == MOST_COMPARED


async def test_the_files_of_a_check(redis: aioredis.Redis, portrait: Pixels) -> None:
    past, _ = remembering(redis, opened(portrait))
    for unique, check in (("u", "a"), ("v", "b"), ("w", "a")):
        await past.remember_file(unique, check)
    assert await past.files_of("a", ["u", "v", "w", "x"]) == ["u", "w"]
    assert await past.files_of("a", []) == []
    await past.forget_file("u")
    assert await past.check_of_file("u") is None
