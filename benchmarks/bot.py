"""What the Telegram bot costs over the service alone, both in one run.

    python -m benchmarks.bot [--quick]

The service alone is a caller of the queue (``submit``, then ``wait``); the bot is ``unmask bot``,
to which people send photos over a Telegram on loopback, from the moment the update is there to the
moment the annotated photo arrives. One picture at a time they take turns; 200 at once, the bot
stands between two runs of the service. Every photo must be answered exactly once, and no two are
the same file. The bot's limit of 30 messages a second, which is Telegram's, is off; what this
Telegram itself needs is counted as the bot's.
Machines are shared and have slow moments: read the ratios, not the absolute numbers, and run it
again where it says that the machine was not quiet.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.machine import about
from benchmarks.service import (
    RESULTS,
    made,
    photos,
    process,
    shipped_or_stand_in,
)
from benchmarks.turns import QUIET, Sample, sample
from tests.bot.telegram import Message, Person, Telegram, running_telegram
from tests.bot.telegram.files import File
from unmask.images import open_picture
from unmask.queue.check_queue import CheckQueue
from unmask.queue.valkey import EmbeddedValkey
from unmask.report import Door, State
from unmask.settings import Settings

CHATS = 200
#: What the project promises: milliseconds that the bot may take over the service, in the middle.
MOST_OVERHEAD = 25.0
_PATIENCE = 300.0
_REST = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--out", type=Path, default=RESULTS / "bot.json")
    options = parser.parse_args()
    rounds, turns, chats = (1, 20, 40) if options.quick else (3, 60, CHATS)
    with tempfile.TemporaryDirectory(prefix="unmask-bench-") as folder:
        model = shipped_or_stand_in(Path(folder))
        os.environ["UNMASK_MODEL"] = str(model)
        samples = asyncio.run(measured(made(Path(folder) / "data"), rounds, turns, chats))
    result = {"about": about(model, rounds, chats), "summary": summary(samples)}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result | {"rounds": samples}, indent=2) + "\n")
    show(result, chats)


async def measured(data: Path, rounds: int, turns: int, chats: int) -> list[Sample]:
    """All rounds."""
    async with bench(data) as on:
        await on.turns(8)
        await on.crowd("bot", 16)
        samples, before = [], await on.crowd("service", chats)
        for number in range(rounds):
            print(f"round {number + 1}", file=sys.stderr, flush=True)
            alone = await on.turns(turns)
            crowd = await on.crowd("bot", chats)
            after = await on.crowd("service", chats)
            crowd |= compared(crowd, before, after)
            samples.append({"one at a time": alone, "at once": crowd, "service at once": after})
            before = after
        return samples


def compared(found: Sample, before: Sample, after: Sample) -> Sample:
    """The bot's crowd beside those of the service around it."""
    seconds = before["seconds"], after["seconds"]
    return {
        "share_of_service": statistics.mean(seconds) / found["seconds"],
        "overhead_ms": (found["seconds"] - statistics.mean(seconds)) * 1000 / len(found["ms"]),
        "service_per_second": (before["per_second"], after["per_second"]),
        "drift": max(seconds) / min(seconds),
    }


class Bench:
    """The service and the bot, running."""

    def __init__(self, checks: CheckQueue, telegram: Telegram, bot: int) -> None:
        self.checks = checks
        self.telegram = telegram
        self.bot = bot
        self._photos = photos()
        self._people = 0

    async def turns(self, number: int) -> Sample:
        """One picture at a time, for the one and for the other."""
        times: dict[str, list[float]] = {"service": [], "bot": []}
        for turn in range(number):
            # Each comes first as often, and each after a rest.
            for name in sorted(times, reverse=turn % 2 == 0):
                (picture,) = self._sizes(1)
                await asyncio.sleep(_REST)
                if name == "service":
                    times[name].append(await self._ask(picture[-1].data))
                else:
                    times[name] += await self._send([picture])
        over = [b - s for b, s in zip(times["bot"], times["service"], strict=True)]
        return {name: sample(found, sum(found) / 1000) for name, found in times.items()} | {
            "overhead_ms": statistics.median(over),
            "ratio": statistics.median(times["bot"]) / statistics.median(times["service"]),
        }

    async def crowd(self, name: str, number: int) -> Sample:
        """So many pictures at once."""
        pictures = self._sizes(number)
        before, start = cpu_seconds(self.bot), time.perf_counter()
        if name == "service":
            times = list(await asyncio.gather(*(self._ask(one[-1].data) for one in pictures)))
        else:
            times = await self._send(pictures)
        seconds = time.perf_counter() - start
        spent = (cpu_seconds(self.bot) - before) * 1000 / number
        return sample(sorted(times), seconds) | {"bot_cpu_ms": spent}

    async def _ask(self, data: bytes) -> float:
        """One check of the service alone, in milliseconds."""
        start = time.perf_counter()
        picture = await asyncio.to_thread(open_picture, data, Settings())
        check = await self.checks.submit(picture, door=Door.API)
        ended = await self.checks.wait(check.id, _PATIENCE)
        if ended is None or ended.state is not State.DONE:
            raise RuntimeError(f"a check did not end: {ended}")
        return (time.perf_counter() - start) * 1000

    async def _send(self, pictures: list[list[File]]) -> list[float]:
        """Each picture from a chat of its own: milliseconds until its answer was there."""
        people = [self._person() for _ in pictures]
        since = len(self.telegram.calls)
        start = time.monotonic()
        sent = [
            await person.sends_sizes(sizes) for person, sizes in zip(people, pictures, strict=True)
        ]
        await self.telegram.until(lambda: all(person.written for person in people), _PATIENCE)
        await self.telegram.settled()
        for person, message in zip(people, sent, strict=True):
            check_answered(person, message)
        arrived = {
            call.text("chat_id"): call.at for call in self.telegram.called("sendPhoto", since)
        }
        return [(arrived[str(person.chat.id)] - start) * 1000 for person in people]

    def _sizes(self, number: int) -> list[list[File]]:
        """So many photos that nobody has seen, as Telegram keeps them."""
        return [self.telegram.files.photo(data) for data in islice(self._photos, number)]

    def _person(self) -> Person:
        self._people += 1
        return Person(self.telegram, f"Person {self._people}")


def check_answered(person: Person, message: Message) -> None:
    """Fails unless the message got its one answer."""
    if [(one.kind, one.reply_to) for one in person.written] != [("photo", message)]:
        said = "; ".join(str(one) for one in person.written)
        raise RuntimeError(f"not answered exactly once: {said}")


@asynccontextmanager
async def bench(data: Path) -> AsyncIterator[Bench]:
    """Valkey, a worker, a Telegram and the bot; warm."""
    with valkey(data) as url:
        settings = Settings(data=data, redis_url=url)
        checks = await CheckQueue.connect(settings)
        try:
            async with running_telegram(Telegram(hasty=True)) as telegram:
                own: dict[str, Any] = {
                    "UNMASK_DATA": str(data),
                    "UNMASK_REDIS_URL": url,
                    "UNMASK_TELEGRAM_TOKEN": telegram.token,
                    "UNMASK_TELEGRAM_API": telegram.api,
                    "UNMASK_BOT_MESSAGES_PER_SECOND": "0",
                }
                command = (sys.executable, "-m", "unmask")
                with (
                    process(*command, "worker", data=made(data / "worker"), **own),
                    process(*command, "bot", data=made(data / "bot"), **own) as bot,
                ):
                    await telegram.until(lambda: bool(telegram.called("getUpdates")))
                    yield Bench(checks, telegram, bot.pid)
        finally:
            await checks.close()


@contextmanager
def valkey(data: Path) -> Iterator[str]:
    """An embedded Valkey; its URL."""
    server = EmbeddedValkey(data)
    try:
        yield server.ensure()
    finally:
        server.stop()


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has had; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def summary(rounds: list[Sample]) -> dict[str, dict[str, float]]:
    """Medians over the rounds."""

    def median(*path: str) -> float:
        values: list[Any] = list(rounds)
        for key in path:
            values = [value[key] for value in values]
        return float(round(statistics.median(values), 3))

    alone, crowd = "one at a time", "at once"
    return {
        alone: {
            "service_ms": median(alone, "service", "median_ms"),
            "bot_ms": median(alone, "bot", "median_ms"),
            "overhead_ms": median(alone, "overhead_ms"),
            "ratio": median(alone, "ratio"),
        },
        crowd: {
            "service_per_second": median("service at once", "per_second"),
            "bot_per_second": median(crowd, "per_second"),
            "share_of_service": median(crowd, "share_of_service"),
            "overhead_ms": median(crowd, "overhead_ms"),
            "bot_cpu_ms": median(crowd, "bot_cpu_ms"),
            "drift": median(crowd, "drift"),
        },
    }


def show(result: dict[str, Any], chats: int) -> None:
    alone, crowd = result["summary"]["one at a time"], result["summary"]["at once"]
    print(f"one at a time: service {alone['service_ms']:.0f} ms, bot {alone['bot_ms']:.0f} ms")
    print(f"the bot's own: {told(alone['overhead_ms'])}, {alone['ratio']:.2f} times the service")
    mark = "" if crowd["drift"] < QUIET else "  not quiet"
    print(f"\n{chats} chats at once, each answered exactly once:{mark}")
    rates = f"service {crowd['service_per_second']:.1f} a second, bot {crowd['bot_per_second']:.1f}"
    print(f"{rates} ({crowd['share_of_service']:.0%})")
    spent = f"{crowd['bot_cpu_ms']:.0f} ms of processor time in the bot itself"
    print(f"a picture takes the machine {told(crowd['overhead_ms'])} longer; {spent}")


def told(over: float) -> str:
    """An overhead beside what was promised."""
    how = "met" if over <= MOST_OVERHEAD else "MISSED"
    return f"{over:.1f} ms (at most {MOST_OVERHEAD:g}: {how})"


if __name__ == "__main__":
    main()
