"""``/readyz`` says 503 whenever checks are not taken, or nobody would examine them."""

from __future__ import annotations

import asyncio
import shutil
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from redis.asyncio import Redis

from server.context import STATS
from tests.server.server_process import Service, blank, client_of

pytestmark = pytest.mark.anyio
Client = TestClient[Any, Any]


async def readiness(client: Client) -> tuple[int, str]:
    answer = await client.get("/readyz")
    body = await answer.json()
    if answer.status != 200:
        assert body["error"]["code"] == "not_ready"
        return answer.status, body["error"]["message"]
    return answer.status, body["status"]


async def test_it_is_ready_while_a_worker_runs_and_there_is_room(client: Client) -> None:
    assert await readiness(client) == (200, "ready")


async def test_a_full_disk(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000))
    assert await readiness(client) == (503, "The store's disk is full.")
    answer = await client.post("/v1/checks", data=blank())
    assert (answer.status, (await answer.json())["error"]["code"]) == (507, "storage_full")


@pytest.mark.parametrize(
    ("setting", "full", "usual", "why"),
    [
        ("min-replicas-to-write", "1", "0", "The queue takes no writes."),
        ("maxmemory", "2mb", "512mb", "The queue's memory is full."),
    ],
)
async def test_a_redis_that_takes_no_more(
    service: Service, setting: str, full: str, usual: str, why: str
) -> None:
    async with Redis.from_url(service.redis_url) as redis, client_of(service) as client:
        await redis.config_set(setting, full)
        try:
            assert await readiness(client) == (503, why)
            answer = await client.post("/v1/checks", data=blank())
            assert answer.status == 507
        finally:
            await redis.config_set(setting, usual)
        await asyncio.sleep(1)
        assert await readiness(client) == (200, "ready")


async def test_no_worker(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async with client_of(service) as client:
        assert client.app is not None
        stats = await client.app[STATS].get()

        async def none() -> Any:
            return stats.model_copy(update={"workers": 0})

        monkeypatch.setattr(client.app[STATS], "get", none)
        assert await readiness(client) == (503, "No worker is running.")
