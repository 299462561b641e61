"""Rate limits for keys and addresses, and refusing work that could not be done in time."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient
from redis.asyncio import Redis

from server.admission import WAITING_WITHOUT_WORKER
from server.context import ADMISSION, CHECKS
from server.keys import ApiKeys
from server.policy import counted_address
from tests.server.place import Place, blank, client_of
from unmask.queue import Checks, Stats

pytestmark = pytest.mark.anyio
Client = TestClient[Any, Any]


@pytest.fixture
async def fresh(place: Place) -> None:
    """No count from another test."""
    async with Redis.from_url(place.redis_url) as redis:
        async for key in redis.scan_iter("unmask:rate*"):
            await redis.delete(key)


async def statuses(client: Client, count: int, headers: dict[str, str] | None = None) -> list[int]:
    return [
        (await client.post("/v1/checks", data=blank(), headers=headers)).status
        for _ in range(count)
    ]


@pytest.mark.usefixtures("fresh")
async def test_an_address_is_limited(place: Place) -> None:
    async with client_of(place, checks_per_minute_address=3, proxies=1) as client:
        me = {"X-Forwarded-For": "spoofed, 198.51.100.7"}
        assert await statuses(client, 5, me) == [202, 202, 202, 429, 429]
        answer = await client.post("/v1/checks", data=blank(), headers=me)
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert (await answer.json())["error"]["code"] == "rate_limited"
        assert await statuses(client, 1, {"X-Forwarded-For": "198.51.100.8"}) == [202]


@pytest.mark.usefixtures("fresh")
async def test_a_key_is_limited_wherever_it_is_used(place: Place) -> None:
    async with Redis.from_url(place.redis_url) as redis:
        keys = [(await ApiKeys(redis).create(f"key {uuid4()}"))[0] for _ in range(2)]
    first, second = ({"Authorization": f"Bearer {key}"} for key in keys)
    settings = {"checks_per_minute_key": 2, "api_keys": "required"}
    async with client_of(place, **settings) as client, client_of(place, **settings) as other:
        assert await statuses(client, 1, first) == [202]
        assert await statuses(other, 2, first) == [202, 429]
        assert await statuses(other, 1, second) == [202]


@pytest.mark.usefixtures("fresh")
async def test_all_requests_are_limited_but_health(place: Place) -> None:
    async with client_of(place, requests_per_minute=4) as client:
        assert [(await client.get("/v1/model")).status for _ in range(6)] == [200] * 4 + [429] * 2
        assert [(await client.get("/healthz")).status for _ in range(6)] == [200] * 6


@pytest.mark.usefixtures("fresh")
async def test_each_picture_of_a_bulk_request_counts(place: Place) -> None:
    async with client_of(place, checks_per_minute_address=2) as client:
        urls = {"urls": ["http://localhost/"] * 4}
        answer = await client.post("/v1/checks/bulk", json=urls)
        codes = [item["error"]["code"] for item in (await answer.json())["checks"]]
        assert codes == ["url_refused", "url_refused", "rate_limited", "rate_limited"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "counted"),
    [
        ("192.0.2.1", None, 0, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.1", 0, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.1", 1, "198.51.100.1"),
        ("192.0.2.1", "a, 198.51.100.1", 1, "198.51.100.1"),
        ("192.0.2.1", "198.51.100.9, 198.51.100.1", 2, "198.51.100.9"),
        ("192.0.2.1", "198.51.100.1", 3, "198.51.100.1"),
        ("192.0.2.1", "", 1, "192.0.2.1"),
        ("192.0.2.1", "nonsense", 1, "unknown"),
        ("2001:db8:1:2:3:4:5:6", None, 0, "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", None, 0, "192.0.2.1"),
        ("fe80::1%eth0", None, 0, "fe80::/64"),
        (None, None, 0, "unknown"),
    ],
)
def test_which_address_counts(
    peer: str | None, forwarded: str | None, proxies: int, counted: str
) -> None:
    assert counted_address(peer, forwarded, proxies) == counted


def stats(**changed: Any) -> Stats:
    plain = {
        "depth": {},
        "waiting": 0,
        "running": 0,
        "oldest_seconds": 0.0,
        "estimated_wait_seconds": 0.0,
        "workers": 1,
        "models": {},
        "counters": {},
    }
    return Stats.model_validate(plain | changed)


@pytest.mark.parametrize(
    ("queue", "status", "retry"),
    [
        (stats(estimated_wait_seconds=119.0), 202, None),
        (stats(estimated_wait_seconds=150.5), 503, "31"),
        (stats(estimated_wait_seconds=None, workers=0, waiting=1), 202, None),
        (stats(estimated_wait_seconds=None, workers=0, waiting=WAITING_WITHOUT_WORKER), 503, "30"),
    ],
)
async def test_a_long_queue_is_not_made_longer(
    client: Client, monkeypatch: pytest.MonkeyPatch, queue: Stats, status: int, retry: str | None
) -> None:
    async def fixed(_: Checks) -> Stats:
        return queue

    monkeypatch.setattr(Checks, "stats", fixed)
    answer = await client.post("/v1/checks", data=blank())
    assert (answer.status, answer.headers.get("Retry-After")) == (status, retry)
    if status == 503:
        assert (await answer.json())["error"]["code"] == "busy"


async def test_the_queue_is_not_asked_for_each_request(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    assert client.app is not None
    real = client.app[CHECKS].stats

    async def counted() -> Stats:
        nonlocal asked
        asked += 1
        return await real()

    monkeypatch.setattr(client.app[CHECKS], "stats", counted)
    for _ in range(20):
        await client.app[ADMISSION].picture("192.0.2.1", None)
    assert asked == 1
