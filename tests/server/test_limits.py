"""Rate limits for keys and addresses, and refusing work that could not be done in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient
from multidict import CIMultiDict
from redis.asyncio import Redis

from server import cached_stats
from server.backpressure import WAITING_WITHOUT_WORKER, Backpressure
from server.context import BACKPRESSURE, CHECKS
from server.security.keys import ApiKeys
from server.security.policy import counted_address
from tests.server.server_process import Service, blank, client_of
from unmask.errors import UnmaskError
from unmask.queue.check_queue import CheckQueue
from unmask.queue.records import owner_tag
from unmask.queue.stats import Stats
from unmask.report import Priority

pytestmark = pytest.mark.anyio
Client = TestClient[Any, Any]


@pytest.fixture
async def fresh(service: Service) -> None:
    """No count from another test."""
    async with Redis.from_url(service.redis_url) as redis:
        async for key in redis.scan_iter("unmask:rate*"):
            await redis.delete(key)


async def statuses(client: Client, count: int, headers: dict[str, str] | None = None) -> list[int]:
    return [
        (await client.post("/v1/checks", data=blank(), headers=headers)).status
        for _ in range(count)
    ]


@pytest.mark.usefixtures("fresh")
async def test_an_address_is_limited(service: Service) -> None:
    async with client_of(service, checks_per_minute_address=3, proxies=1) as client:
        me = {"X-Forwarded-For": "spoofed, 198.51.100.7"}
        assert await statuses(client, 5, me) == [202, 202, 202, 429, 429]
        answer = await client.post("/v1/checks", data=blank(), headers=me)
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert (await answer.json())["error"]["code"] == "rate_limited"
        assert await statuses(client, 1, {"X-Forwarded-For": "198.51.100.8"}) == [202]


@pytest.mark.usefixtures("fresh")
async def test_a_proxy_s_own_line_counts_and_not_the_caller_s(service: Service) -> None:
    async with client_of(service, checks_per_minute_address=2, proxies=1) as client:
        for number, status in enumerate((202, 202, 429)):
            # HAProxy adds its line after the one that the caller made up.
            lines = [("X-Forwarded-For", f"192.0.2.{number}"), ("X-Forwarded-For", "198.51.100.7")]
            headers = CIMultiDict(lines)
            answer = await client.post("/v1/checks", data=blank(), headers=headers)
            assert answer.status == status


@pytest.mark.usefixtures("fresh")
async def test_a_key_is_limited_wherever_it_is_used(service: Service) -> None:
    async with Redis.from_url(service.redis_url) as redis:
        keys = [(await ApiKeys(redis).create(f"key {uuid4()}"))[0] for _ in range(2)]
    first, second = ({"Authorization": f"Bearer {key}"} for key in keys)
    settings = {"checks_per_minute_key": 2, "api_keys": "required"}
    async with client_of(service, **settings) as client, client_of(service, **settings) as other:
        assert await statuses(client, 1, first) == [202]
        assert await statuses(other, 2, first) == [202, 429]
        assert await statuses(other, 1, second) == [202]


@pytest.mark.usefixtures("fresh")
async def test_all_requests_are_limited_but_health(service: Service) -> None:
    async with client_of(service, requests_per_minute=4) as client:
        assert [(await client.get("/v1/model")).status for _ in range(6)] == [200] * 4 + [429] * 2
        assert [(await client.get("/healthz")).status for _ in range(6)] == [200] * 6


@pytest.mark.usefixtures("fresh")
async def test_each_picture_of_a_bulk_request_counts(service: Service) -> None:
    async with client_of(service, checks_per_minute_address=2) as client:
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
        ("192.0.2.1", "198.51.100.1:5678", 1, "198.51.100.1"),
        ("192.0.2.1", "[2001:db8:1:2::3]:5678", 1, "2001:db8:1:2::/64"),
        ("192.0.2.1", "[2001:db8:1:2::3]", 1, "2001:db8:1:2::/64"),
        ("192.0.2.1", "2001:db8:1:2::3", 1, "2001:db8:1:2::/64"),
        ("192.0.2.1", "[]:5678", 1, "unknown"),
        ("192.0.2.1", "198.51.100.1:x", 1, "unknown"),
        (None, None, 0, "unknown"),
    ],
)
def test_which_address_counts(
    peer: str | None, forwarded: str | None, proxies: int, counted: str
) -> None:
    lines = [] if forwarded is None else [forwarded]
    assert counted_address(peer, lines, proxies) == counted


def test_all_lines_of_a_header_count() -> None:
    lines = ["203.0.113.1", "a, 198.51.100.9", "198.51.100.1"]
    assert counted_address("192.0.2.1", lines, 1) == "198.51.100.1"
    assert counted_address("192.0.2.1", lines, 2) == "198.51.100.9"


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


def queued(waiting: int, pool: str = "shared", kind: str = "interactive") -> dict[str, int]:
    return {f"unmask-{pool}-{kind}": waiting}


@pytest.fixture
def fixed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the queue tell of itself what a test says."""

    def fix(**changed: Any) -> None:
        async def changed_stats(_: CheckQueue) -> Stats:
            return stats(**changed)

        monkeypatch.setattr(CheckQueue, "stats", changed_stats)

    return fix


ALIVE = {"pace": {"shared": 2.0}}
FULL = WAITING_WITHOUT_WORKER


@pytest.mark.parametrize(
    ("queue", "bulk", "retry"),
    [
        (ALIVE | {"depth": queued(238)}, False, None),
        (ALIVE | {"depth": queued(301)}, False, "31"),
        (ALIVE | {"depth": queued(230), "in_hand": {"shared": 30}}, False, "3"),
        (ALIVE | {"depth": queued(230), "in_hand": {"desk": 30}}, False, None),
        (ALIVE | {"depth": queued(100_000, kind="bulk")}, False, None),
        (ALIVE | {"depth": queued(301)}, True, None),
        (ALIVE | {"depth": queued(21_000, kind="bulk")}, True, None),
        (ALIVE | {"depth": queued(21_602, kind="bulk")}, True, "1"),
        (ALIVE | {"depth": queued(21_000, kind="bulk") | queued(602)}, True, "1"),
        ({"depth": queued(FULL - 1)}, False, None),
        ({"depth": queued(FULL)}, False, "30"),
        ({"depth": queued(FULL, kind="bulk")}, True, "30"),
        ({"depth": queued(FULL, pool="desk")}, False, None),
    ],
)
async def test_a_long_queue_is_not_made_longer(
    client: Client,
    fixed: Callable[..., None],
    queue: dict[str, Any],
    bulk: bool,
    retry: str | None,
) -> None:
    fixed(**queue)
    answer = await (sent_bulk(client) if bulk else client.post("/v1/checks", data=blank()))
    status = 202 if retry is None else 503
    assert (answer.status, answer.headers.get("Retry-After")) == (status, retry)
    if status == 503:
        assert (await answer.json())["error"]["code"] == "busy"


@pytest.mark.parametrize("pace", [2.0, None])
@pytest.mark.parametrize(("owner", "status"), [("127.0.0.1", 503), ("203.0.113.7", 202)])
async def test_one_sender_s_long_queue_is_not_another_s(
    client: Client, fixed: Callable[..., None], pace: float | None, owner: str, status: int
) -> None:
    """Owners take turns, so only the one whose pictures wait is told to wait."""
    lanes = {name: {owner_tag(owner): 300} for name in queued(300)}
    fixed(depth=queued(300), lanes=lanes, pace={"shared": pace} if pace else {})
    assert (await client.post("/v1/checks", data=blank())).status == status


async def sent_bulk(client: Client, **params: str) -> Any:
    form = FormData()
    form.add_field("file", blank(), filename="a.png")
    return await client.post("/v1/checks/bulk", data=form, params=params)


@pytest.mark.parametrize("full", ["shared", "desk"])
async def test_a_team_with_workers_of_its_own_waits_for_those(
    service: Service, fixed: Callable[..., None], full: str
) -> None:
    """Wherever the team is named: in the query, in the form, in the JSON, by the key."""
    fixed(depth=queued(1_000, pool=full), pace={"shared": 2.0, "desk": 2.0})
    async with Redis.from_url(service.redis_url) as redis:
        key, _ = await ApiKeys(redis).create("desk", team="desk")
    async with client_of(service, team_pools="desk") as client:

        async def sent(team: str) -> list[str]:
            form = FormData({"team": team})
            form.add_field("file", blank(), filename="a.png")
            url = {"url": "http://localhost/", "team": team}
            headers = {"Authorization": f"Bearer {key}"} if team == "desk" else {}
            answers = [
                await client.post("/v1/checks", data=blank(), params={"team": team}),
                await client.post("/v1/checks", data=form),
                await client.post("/v1/checks", data=blank(), headers=headers),
                await client.post("/v1/checks", json=url),
            ]
            bodies = [await answer.json() for answer in answers]
            # A worker may have begun with it already.
            return ["taken" if "state" in body else body["error"]["code"] for body in bodies]

        other = {"shared": "desk", "desk": "shared"}[full]
        taken = ["taken"] * 3 + ["url_refused"]
        assert await sent(other) == taken
        # A URL that leads nowhere is found out before its team's queue is looked at.
        assert await sent(full) == ["busy"] * 3 + ["url_refused"]


async def test_bulk_finds_no_room_for_a_picture_of_a_full_pool(
    service: Service, fixed: Callable[..., None]
) -> None:
    fixed(depth=queued(30_000, "desk", "bulk"), pace={"shared": 2.0, "desk": 2.0})
    async with client_of(service, team_pools="desk") as client:
        assert (await sent_bulk(client)).status == 202
        assert (await sent_bulk(client, team="desk")).status == 503
        urls = {"urls": ["http://localhost/"] * 2, "team": "desk"}
        answer = await client.post("/v1/checks/bulk", json=urls)
        codes = [item["error"]["code"] for item in (await answer.json())["checks"]]
        assert codes == ["url_refused", "busy"]


async def test_room_is_asked_for_once_for_each_picture(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the body is read, or, where the body may name another queue, after it."""
    pools: list[str] = []

    async def count(_: Backpressure, pool: str, priority: Priority, owner: str) -> None:
        pools.append(pool)

    monkeypatch.setattr(Backpressure, "require_room", count)
    for settings, pool in (({}, "shared"), ({"team_pools": "desk"}, "desk")):
        async with client_of(service, **settings) as client:
            for form, params in ((False, {"team": "desk"}), (True, {})):
                pools.clear()
                body = FormData({"team": "desk"})
                body.add_field("file", blank(), filename="a.png")
                answer = await client.post(
                    "/v1/checks", data=body if form else blank(), params=params
                )
                assert (answer.status, pools) == (202, [pool])
            pools.clear()
            await client.post("/v1/checks", data=b"nonsense", params={"team": "desk"})
            assert pools == [pool]
            pools.clear()
            await sent_bulk(client, team="desk")
            assert pools == [pool]


async def test_the_queue_is_not_asked_for_each_request(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    assert client.app is not None
    real = client.app[CHECKS].stats

    async def counted() -> Stats:
        nonlocal reads
        reads += 1
        return await real()

    monkeypatch.setattr(client.app[CHECKS], "stats", counted)
    monkeypatch.setattr(cached_stats, "TTL", 60)
    room = client.app[BACKPRESSURE].require_room
    await asyncio.gather(*(room("shared", Priority.INTERACTIVE, "") for _ in range(20)))
    answers = await asyncio.gather(*(client.get("/readyz") for _ in range(20)))
    assert {answer.status for answer in answers} == {200} and reads == 1


async def test_a_queue_that_does_not_answer_is_not_asked_for_each_request(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0

    async def gone(_: CheckQueue) -> Stats:
        nonlocal reads
        reads += 1
        raise UnmaskError("queue_unavailable", "The queue cannot be reached.")

    monkeypatch.setattr(CheckQueue, "stats", gone)
    monkeypatch.setattr(cached_stats, "TTL", 0.2)
    answers = await asyncio.gather(*(client.get("/readyz") for _ in range(20)))
    assert {answer.status for answer in answers} == {503} and reads == 1
    monkeypatch.undo()
    await asyncio.sleep(0.6)
    assert (await client.get("/readyz")).status == 200
