"""Who has a case open, and live events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from desk.actors import DeskActor
from desk.outgoing import DeskEvents
from desk.queue import Presence
from tests.desk.play import refused
from unmask.permissions import Role
from unmask.queue.valkey import EmbeddedValkey

pytestmark = pytest.mark.anyio


def person(number: int, team: int = 1, role: Role = Role.CHECKER) -> DeskActor:
    return DeskActor(team, f"team-{team}", role, f"Person {number}", person_id=number)


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    valkey = EmbeddedValkey(tmp_path_factory.mktemp("valkey"))
    yield valkey.ensure()
    valkey.stop()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


async def test_presence_is_seen_by_the_team_alone(redis: Redis) -> None:
    presence = Presence(redis)
    await presence.beat(person(1), 214)
    await presence.beat(person(2), None)
    here = await presence.here(person(3, role=Role.VIEWER))
    assert {case: [one.name for one in people] for case, people in here.items()} == {
        214: ["Person 1"],
        0: ["Person 2"],
    }
    assert await presence.here(person(9, team=2)) == {}
    assert await presence.is_present(person(2), 1, 214)
    assert not await presence.is_present(person(2), 1, 215)
    await presence.leave(person(1))
    assert not await presence.is_present(person(2), 1, 214)


async def test_presence_lapses(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    presence = Presence(redis)
    await presence.beat(person(1, team=3), 5)
    monkeypatch.setattr("desk.queue.presence.GONE", 0)
    assert await presence.here(person(2, team=3)) == {}
    assert await redis.ttl("unmask:desk:here:3") > 0


async def test_a_live_event_tells_ids_to_its_team(redis_url: str, tmp_path: Path) -> None:
    events = DeskEvents(redis_url)
    await events.start()
    try:
        with events.listen(person(1)) as mine, events.listen(person(2, team=2)) as theirs:
            await events.publish(1, "case.claimed", 214, 3)
            change = await asyncio.wait_for(mine.get(), 60)
            assert change.fields == {"kind": "case.claimed", "case": "214", "version": "3"}
            assert theirs.empty()
        with refused("sign_in_needed"), events.listen(person(1, role=Role.VISITOR)):
            pass
    finally:
        await events.close()
