"""Retries, and the rate limiter, while Telegram is slow, full or away."""

from __future__ import annotations

import asyncio
import math
import time
from datetime import timedelta
from typing import Any

import pytest
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TimedOut

from bot.transport import rate_limiter
from bot.transport.rate_limiter import TelegramRateLimiter
from bot.transport.retry import retry_redis, retry_telegram
from unmask.errors import UnmaskError

pytestmark = pytest.mark.anyio


class Telegram:
    """Raises each of ``failures``, then accepts every call."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.calls = 0

    async def call(self, *_: Any, **__: Any) -> bool:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return True


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each sleep; none takes any time."""
    seconds_slept: list[float] = []

    async def sleep(seconds: float) -> None:
        seconds_slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return seconds_slept


async def test_a_call_is_retried_until_it_succeeds(pauses: list[float]) -> None:
    telegram = Telegram(TimedOut(), NetworkError("gone"), RetryAfter(timedelta(seconds=90)))
    assert await retry_telegram(telegram.call, time.time() + 3600)
    assert telegram.calls == 4
    assert pauses[2] == 90, "as long as Telegram demands"


@pytest.mark.parametrize("refusal", [BadRequest("no"), Forbidden("no")])
async def test_a_refusal_is_final(pauses: list[float], refusal: Exception) -> None:
    telegram = Telegram(refusal)
    with pytest.raises(type(refusal)):
        await retry_telegram(telegram.call, time.time() + 3600)
    assert not pauses


async def test_a_call_is_given_up_at_the_deadline(pauses: list[float]) -> None:
    telegram = Telegram(*[NetworkError("gone")] * 3)
    with pytest.raises(NetworkError):
        await retry_telegram(telegram.call, time.time())


async def test_a_step_is_retried_while_redis_is_away(pauses: list[float]) -> None:
    away = Telegram(*[UnmaskError("queue_unavailable", "")] * 7)
    assert await retry_redis(away.call)
    assert pauses == [0.5, 1, 2, 4, 8, 10, 10]


@pytest.mark.parametrize("code", ["queue_unavailable", "not_found"])
async def test_a_step_is_not_retried_after_the_deadline_or_another_error(
    pauses: list[float], code: str
) -> None:
    away = Telegram(*[UnmaskError(code, "")] * 7)
    with pytest.raises(UnmaskError):
        await retry_redis(away.call, time.time() if code == "queue_unavailable" else math.inf)
    assert not pauses


async def process(telegram: Telegram, endpoint: str = "sendMessage") -> Any:
    return await TelegramRateLimiter(30).process_request(
        telegram.call, (), {}, endpoint, {"chat_id": 1}, rate_limit_args=None
    )


async def test_a_call_waits_as_long_as_telegram_demands(pauses: list[float]) -> None:
    telegram = Telegram(RetryAfter(timedelta(seconds=3)), RetryAfter(timedelta(seconds=4)))
    assert await process(telegram)
    assert pauses == [3.1, 4.1]


async def test_a_call_does_not_wait_for_longer_than_the_limit(pauses: list[float]) -> None:
    with pytest.raises(RetryAfter):
        await process(Telegram(RetryAfter(timedelta(seconds=rate_limiter.MAX_WAIT + 1))))
    assert not pauses


async def accepted(calls: list[tuple[int, str]], per_second: int = 30) -> list[int]:
    """The numbers of those calls (chat, endpoint) that do not wait if all are made at once."""
    limiter, numbers = TelegramRateLimiter(per_second), []

    async def call(number: int, chat: int, endpoint: str) -> None:
        async def request(*_: Any, **__: Any) -> bool:
            numbers.append(number)
            return True

        await limiter.process_request(
            request, (), {}, endpoint, {"chat_id": chat}, rate_limit_args=None
        )

    tasks = [asyncio.create_task(call(number, *of)) for number, of in enumerate(calls)]
    for _ in range(20):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return numbers


async def test_no_more_messages_than_telegram_allows() -> None:
    calls = [(chat, "sendMessage") for chat in range(1, 8)]
    assert await accepted(calls, per_second=5) == [0, 1, 2, 3, 4]


async def test_no_more_messages_to_one_group_than_telegram_allows() -> None:
    calls = [(-5, "sendMessage")] * 22 + [(-6, "sendMessage"), (7, "sendMessage")]
    assert await accepted(calls) == [*range(20), 22, 23]


async def test_a_call_that_sends_no_message_does_not_wait() -> None:
    calls = [(1, "sendMessage")] * 2 + [(1, "setMessageReaction"), (1, "sendChatAction")]
    assert await accepted(calls, per_second=1) == [0, 2, 3]


@pytest.mark.parametrize("endpoint", ["setMessageReaction", "sendChatAction"])
async def test_a_sign_of_activity_is_not_worth_waiting_for(
    pauses: list[float], endpoint: str
) -> None:
    with pytest.raises(RetryAfter):
        await process(Telegram(RetryAfter(timedelta(seconds=1))), endpoint)
    assert not pauses
