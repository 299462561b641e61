"""API keys: made once, kept as a hash, and asked for wherever others can reach the server."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from redis.asyncio import Redis

from server.security import keys_cli
from server.security.keys import ApiKeys
from server.security.policy import Policy, UnsafeSettingsError
from tests.server.server_process import Service, blank, client_of
from unmask.permissions import Scope
from unmask.settings import Settings

pytestmark = pytest.mark.anyio
Client = TestClient[Any, Any]


@pytest.fixture
async def redis(service: Service) -> AsyncIterator[Redis]:
    async with Redis.from_url(service.redis_url) as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def test_only_a_hash_of_the_key_is_kept(redis: Redis) -> None:
    key, record = await ApiKeys(redis).create("Ada", [Scope.CHECK, Scope.LIST], days=1)
    assert key.startswith(f"um_{record.prefix}_") and len(key) == 59
    kept = await redis.hgetall(f"unmask:key:{record.prefix}")
    assert kept[b"sha256"].decode() == hashlib.sha256(key.encode()).hexdigest()
    secret = key.rpartition("_")[2] if key.count("_") == 2 else key[16:]
    assert all(secret.encode() not in value for value in kept.values())
    assert await ApiKeys(redis).verify(key) is not None


async def test_wrong_keys_are_refused(redis: Redis) -> None:
    keys = ApiKeys(redis)
    key, record = await keys.create("Ada")
    flipped = key[:-1] + ("A" if key[-1] != "A" else "B")
    for wrong in ("", "x", key[:-1], key + "x", flipped, key.upper(), f"um_{'0' * 12}_{key[16:]}"):
        assert await keys.verify(wrong) is None
    assert await keys.revoke(record.prefix) and not await keys.revoke(record.prefix)
    assert await keys.verify(key) is None
    assert not await redis.exists(f"unmask:key:{record.prefix}")


async def test_keys_expire_and_tell_when_they_were_used(redis: Redis) -> None:
    keys = ApiKeys(redis)
    old, _ = await keys.create("old", days=-1)
    assert await keys.verify(old) is None
    key, record = await keys.create("new", days=1)
    assert record.last_used is None
    await keys.verify(key)
    used = next(item for item in await keys.list() if item.prefix == record.prefix)
    assert used.last_used is not None
    assert record.created <= used.last_used <= datetime.now(UTC)


def test_keys_from_the_command_line(service: Service) -> None:
    parser = argparse.ArgumentParser()
    keys_cli.add_arguments(parser)

    def run(*words: str) -> tuple[int, list[str]]:
        lines: list[str] = []
        return keys_cli.run(parser.parse_args(words), service.redis_url, lines.append), lines

    status, lines = run("create", "Ada", "--scope", "list", "--team", "desk", "--days", "2")
    assert status == 0 and lines[0].startswith("um_")
    prefix = lines[0].split("_")[1]
    _, listed = run("list")
    line = next(line for line in listed if prefix in line)
    assert "Ada" in line and "team desk" in line and "may list" in line
    assert lines[0][16:] not in "".join(listed)
    assert run("revoke", prefix)[0] == 0
    assert run("revoke", prefix)[0] == 1


@pytest.mark.parametrize("days", ["nan", "inf", "1e12", "-1", "0", "36501", "x", ""])
def test_days_that_cannot_be_are_refused(days: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    keys_cli.add_arguments(parser)
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["create", "Ada", "--days", days])
    assert ended.value.code == 2
    assert "--days: must be more than 0 and at most 36500" in capsys.readouterr().err


def test_a_hundred_years_are_not_too_many(service: Service) -> None:
    parser = argparse.ArgumentParser()
    keys_cli.add_arguments(parser)
    args = parser.parse_args(["create", "Ada", "--days", "36500"])
    assert keys_cli.run(args, service.redis_url, lambda _: None) == 0


@pytest.mark.parametrize(
    "unsafe",
    [
        {"host": "0.0.0.0"},
        {"host": "::"},
        {"host": "192.168.1.5"},
        {"host": "example.org"},
        {"public_url": "https://unmask.example.org"},
    ],
)
def test_others_never_reach_a_server_without_keys(unsafe: dict[str, str]) -> None:
    with pytest.raises(UnsafeSettingsError, match="UNMASK_API_KEYS"):
        Policy.of(Settings(api_keys="none", **unsafe))
    assert Policy.of(Settings(**unsafe)).keys_needed


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_needs_no_keys(host: str) -> None:
    assert not Policy.of(Settings(host=host)).keys_needed
    assert Policy.of(Settings(host=host, api_keys="required")).keys_needed


async def test_the_id_of_a_check_is_all_it_takes_to_see_it(service: Service, redis: Redis) -> None:
    key, _ = await ApiKeys(redis).create("Ada")
    async with client_of(service, api_keys="required") as client:
        answer = await client.post("/v1/checks?wait=60", data=blank(), headers=bearer(key))
        check = (await answer.json())["id"]
        for path in (f"/v1/checks/{check}", f"/c/{check}", "/v1/model", "/healthz", "/", "/readyz"):
            assert (await client.get(path)).status == 200


@pytest.mark.parametrize(
    "header", ["Bearer um_x", "Bearer ", "Basic YTpi", "um_x", "Bearer um_" + "0" * 56]
)
async def test_a_key_that_is_given_must_be_valid(client: Client, header: str) -> None:
    answer = await client.get("/v1/model", headers={"Authorization": header})
    assert (answer.status, (await answer.json())["error"]["code"]) == (401, "key_needed")


async def test_a_key_may_be_bound_to_a_team(service: Service, redis: Redis) -> None:
    keys = ApiKeys(redis)
    mine, _ = await keys.create("mine", list(Scope), team="mine")
    theirs, _ = await keys.create("theirs", list(Scope), team="theirs")
    async with client_of(service, api_keys="required") as client:
        answer = await client.post("/v1/checks?team=theirs", data=blank(), headers=bearer(mine))
        check = await answer.json()
        assert check["team"] == "mine"
        listed = await client.get("/v1/checks?team=mine", headers=bearer(theirs))
        assert listed.status == 403
        listed = await client.get("/v1/checks", headers=bearer(mine))
        assert check["id"] in [item["id"] for item in (await listed.json())["checks"]]
        removed = await client.delete(f"/v1/checks/{check['id']}", headers=bearer(theirs))
        assert removed.status == 403
        removed = await client.delete(f"/v1/checks/{check['id']}", headers=bearer(mine))
        assert removed.status == 204
