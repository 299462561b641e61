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
from server.security.keys import ApiKeys, Scope
from tests.server.server_process import Service, blank, client_of

pytestmark = pytest.mark.anyio
Client = TestClient[Any, Any]


@pytest.fixture(autouse=True)
async def _worker_runs(client: Client) -> None:
    """The service's worker has its model."""
    answer = await client.post("/v1/checks?wait=60", data=blank())
    assert (await answer.json())["state"] == "done"


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


async def test_what_is_there_is_read_and_removed_while_nothing_is_written(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither limits, nor when a key was last used, nor a session hold up a reader."""
    monkeypatch.setattr("unmask.queue.janitor.WRITABLE_SECONDS", 0.2)
    async with Redis.from_url(service.redis_url) as redis:
        key, record = await ApiKeys(redis).create("reader", [Scope.CHECK, Scope.DELETE])
        await redis.hdel(f"unmask:key:{record.prefix}", "last_used")
        signed = {"Authorization": f"Bearer {key}"}
        async with client_of(service, api_keys="required", requests_per_minute=5) as client:
            answer = await client.post("/v1/checks?wait=60", data=blank(), headers=signed)
            check = await answer.json()
            await redis.config_set("min-replicas-to-write", "1")
            try:
                read = [
                    await client.get(f"/v1/checks/{check['id']}{name}", headers=signed)
                    for name in ("", "/mask.png")
                ]
                removed = await client.delete(f"/v1/checks/{check['id']}", headers=signed)
                rest = [await client.get("/v1/model") for _ in range(6)]
            finally:
                await redis.config_set("min-replicas-to-write", "0")
            assert [answer.status for answer in read] == [200, 200]
            # Its files are gone; that it is gone could not be written.
            assert removed.status == 503
            assert [answer.status for answer in rest][-1] == 429, "this process counts by itself"
            sent = await client.post("/v1/checks", data=blank(), headers=signed)
            assert sent.status == 202
    store = service.data / "store"
    assert not list(store.rglob(check["sha256"]))
