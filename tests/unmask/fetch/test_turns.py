"""Downloads are shared out: slow sites and names of one caller delay nobody else's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from tests.unmask.fetch.hostile import LOOPBACK, PICTURE, hostile_server, loopback
from unmask.errors import UnmaskError
from unmask.fetch import Fetcher
from unmask.fetch.bodies import read_body
from unmask.fetch.turns import MAX_WAITING_OF_CALLER, SLOTS, Turns


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Crowd:
    """Callers that ask for turns, and who got one, in order."""

    def __init__(self, slots: int) -> None:
        self.turns = Turns(slots)
        self.granted: list[str] = []
        self.refused: list[UnmaskError] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, caller: str, seconds: float = 60.0) -> asyncio.Task[None]:
        task = asyncio.create_task(self._take(caller, seconds))
        self._tasks.add(task)
        await settle()
        return task

    async def _take(self, caller: str, seconds: float) -> None:
        try:
            await self.turns.take(caller, seconds)
        except UnmaskError as error:
            self.refused.append(error)
        else:
            self.granted.append(caller)

    async def end(self, caller: str) -> None:
        self.turns.release(caller)
        await settle()


def test_one_caller_gets_half_and_the_next_who_comes_a_share() -> None:
    async def scene() -> list[str]:
        crowd = Crowd(8)
        for _ in range(8):
            await crowd.ask("greedy")
        for _ in range(4):
            await crowd.ask("other")
        await crowd.ask("third")
        return crowd.granted

    assert asyncio.run(scene()) == ["greedy"] * 4 + ["other"] * 2 + ["third"]


def test_a_turn_goes_to_the_waiting_caller_that_holds_the_fewest() -> None:
    async def scene() -> list[str]:
        crowd = Crowd(4)
        for caller in ("a", "a", "b", "c", "a", "a", "b", "d"):
            await crowd.ask(caller)
        assert crowd.granted == ["a", "a", "b", "c"]
        for caller in ("a", "a", "b", "c"):
            await crowd.end(caller)
        return crowd.granted[4:]

    assert asyncio.run(scene()) == ["d", "a", "b"]


def test_beyond_some_that_wait_the_next_is_told_to_come_back() -> None:
    async def scene() -> Crowd:
        crowd = Crowd(2)
        for _ in range(MAX_WAITING_OF_CALLER + 3):
            await crowd.ask("a", 7.5)
        await crowd.ask("b")
        return crowd

    crowd = asyncio.run(scene())
    assert crowd.granted == ["a", "b"]
    assert [(error.code, error.detail["retry_after"]) for error in crowd.refused] == [
        ("busy", 8)
    ] * 2


def test_a_wait_ends_in_time_and_leaves_nothing_behind() -> None:
    async def scene() -> list[str]:
        crowd = Crowd(2)
        await crowd.ask("a")
        (await crowd.ask("a")).cancel()
        late = await crowd.ask("a", 0.01)
        await late
        assert [error.code for error in crowd.refused] == ["busy"]
        await crowd.end("a")
        await crowd.ask("a")
        return crowd.granted

    assert asyncio.run(scene()) == ["a", "a"]


def test_a_turn_that_comes_as_its_download_is_cancelled_goes_on() -> None:
    async def scene() -> list[str]:
        crowd = Crowd(2)
        await crowd.ask("a")
        waiting = await crowd.ask("a")
        crowd.turns.release("a")
        waiting.cancel()
        await settle()
        await crowd.ask("b")
        await crowd.ask("c")
        return crowd.granted

    assert asyncio.run(scene()) == ["a", "b", "c"]


@asynccontextmanager
async def fetcher_of_hostile_server(
    lookup: object = loopback, seconds: float = 30.0
) -> AsyncIterator[tuple[Fetcher, str]]:
    async with hostile_server() as port:
        options = {"opened": LOOPBACK, "ports": {port}, "lookup": lookup}
        async with Fetcher(100_000, seconds, **options) as fetcher:  # type: ignore[arg-type]
            yield fetcher, f"http://pictures.example.org:{port}"


async def outcome(fetcher: Fetcher, url: str, caller: str) -> bytes | str:
    try:
        return await fetcher.fetch(url, caller)
    except UnmaskError as error:
        return error.code


def test_silent_sites_of_one_caller_delay_nobody_else() -> None:
    async def scene() -> tuple[bytes | str, int, int]:
        async with fetcher_of_hostile_server() as (fetcher, site):
            slow = [
                asyncio.create_task(outcome(fetcher, f"{site}/mute", "slow")) for _ in range(160)
            ]
            await asyncio.sleep(0.3)
            good = await outcome(fetcher, f"{site}/ok", "good")
            ended = [task.result() for task in slow if task.done()]
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)
            return good, len(slow) - len(ended), ended.count("busy")

    assert asyncio.run(scene()) == (PICTURE, SLOTS // 2 + MAX_WAITING_OF_CALLER, 112)


@pytest.fixture
def stuck() -> Iterator[threading.Event]:
    """Set it, and lookups that hang go on."""
    event = threading.Event()
    yield event
    event.set()


def test_names_that_are_never_found_delay_nobody_else(stuck: threading.Event) -> None:
    def lookup(host: str) -> list[str]:
        if host.startswith("slow"):
            stuck.wait(60)
        return ["127.0.0.1"]

    async def scene() -> tuple[list[bytes | str], bytes | str]:
        async with fetcher_of_hostile_server(lookup, 0.6) as (fetcher, site):
            bad = site.replace("pictures", "slow")
            # The downloads have ended, their lookups have not: a lookup cannot be broken off.
            slow = await asyncio.gather(
                *(outcome(fetcher, f"{bad}/ok", "slow") for _ in range(2 * SLOTS))
            )
            good = await outcome(fetcher, f"{site}/ok", "good")
            again = await outcome(fetcher, f"{bad}/ok", "slow")
            stuck.set()
            return [*sorted(set(map(str, slow))), again], good

    slow, good = asyncio.run(scene())
    assert (slow, good) == (["busy", "url_timeout", "busy"], PICTURE)


def test_the_caller_s_loop_is_not_the_one_that_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of hints or of single bytes would hold it up."""
    threads: list[threading.Thread] = []

    async def read(response: object, limit: int, take: object) -> bytes:
        threads.append(threading.current_thread())
        return await read_body(response, limit, take)  # type: ignore[arg-type]

    async def scene() -> None:
        async with fetcher_of_hostile_server() as (fetcher, site):
            assert await fetcher.fetch(f"{site}/ok") == PICTURE
            assert threads[0] is not threading.current_thread() and threads[0].is_alive()

    monkeypatch.setattr("unmask.fetch.download.read_body", read)
    asyncio.run(scene())
    assert not threads[0].is_alive()


def test_closing_breaks_off_what_is_under_way() -> None:
    async def scene() -> None:
        async with fetcher_of_hostile_server() as (fetcher, site):
            slow = asyncio.create_task(fetcher.fetch(f"{site}/mute"))
            await asyncio.sleep(0.1)
            await fetcher.close()
            with pytest.raises(asyncio.CancelledError):
                await slow

    asyncio.run(scene())
