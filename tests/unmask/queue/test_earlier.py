"""Which checks stand before one, and how often their hashes are read."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest

from unmask.queue.earlier import EarlierLooks

pytestmark = pytest.mark.anyio
BEFORE = ["first", "1.5", "running", "1.0"]
OWN, FIRST, RUNNING = ["done", "aa", "00ff"], ["done", "bb", "00fe"], ["active", "cc", ""]
CHECK: Any = SimpleNamespace(id="own", team="desk", sha256="aa")


async def test_the_hash_of_a_job_that_ended_is_read_once() -> None:
    answers = [BEFORE, OWN + FIRST + RUNNING, BEFORE, ["done", "cc", "00fd"]]
    redis: Any = SimpleNamespace(eval=AsyncMock(side_effect=answers))
    looks = EarlierLooks(redis)
    phash, (first,) = await looks.before(CHECK)
    assert (phash, first.id, first.phash) == (0xFF, "first", 0xFE)
    assert first.created == datetime.fromtimestamp(1.5, UTC)
    _, earlier = await looks.before(CHECK)
    assert [check.id for check in earlier] == ["first", "running"]
    asked = [call.args[2:] for call in redis.eval.call_args_list]
    assert asked[1] == ("own", "first", "running")
    assert asked[3] == ("running",)


async def test_a_check_of_no_team_reads_nothing() -> None:
    redis: Any = SimpleNamespace(eval=AsyncMock())
    looks = EarlierLooks(redis)
    assert await looks.before(SimpleNamespace(team=None)) == (None, ())  # type: ignore[arg-type]
    redis.eval.assert_not_called()
