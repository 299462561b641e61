"""The processor time that a check takes under each roof: for machines that are not quiet.

    python -m benchmarks.roofs [--photos 4] [--ray PYTHON]

The networks alone, in a bare loop of ONNX Runtime, are the floor; above it stand the detector in a
loop, our service, a LitServe server, Ray Serve (:mod:`benchmarks.ray_peer`) where ``--ray`` names a
Python that has it, and RQ's own forking worker, each around the same examiner, with evidence,
drawing and store. Counted are the CPU seconds of all processes of a roof, without the caller's:
:mod:`benchmarks.service` has the times, which need a quiet machine. All but RQ's worker take turns,
for what others do on the machine changes what a second of it is worth. The extra ``bench`` brings
LitServe. Linux only.
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
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path

from benchmarks.check import recorded
from benchmarks.peers import Kit, put_picture
from benchmarks.processes import descendants, started
from benchmarks.ray_peer import ray_serve, send_ray
from benchmarks.service import (
    RAY_HELP,
    RESULTS,
    Send,
    called,
    has_ray,
    litserve,
    made,
    photos,
    send,
    send_lit,
    service,
    stock_worker,
)
from unmask.images import open_picture
from unmask.settings import Settings

RESULT = RESULTS / "roofs.json"
CALLERS = (1, 8)
#: Short ones, so that all roofs meet the same machine.
TURNS = 6
#: RQ's worker loads the networks for each picture.
RQ_PHOTOS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=int, default=4, help="in each turn")
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--ray", metavar="PYTHON", help=RAY_HELP)
    options = parser.parse_args()
    os.environ["UNMASK_THREADS"] = "1"
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="unmask-bench-") as name:
        folder, taken = Path(name), photos()
        seconds |= in_turns(made(folder / "turns"), taken, options.photos, options.ray)
        seconds |= behind_rq(made(folder / "rq"), taken)
    floor = seconds["networks alone"]
    result = {
        "photos": options.photos,
        "cpu_seconds": {name: round(value, 4) for name, value in seconds.items()},
        "of_networks": {name: round(value / floor, 3) for name, value in seconds.items()},
    }
    options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(options.out.read_text(encoding="utf-8"))


def in_turns(
    folder: Path, pictures: Iterator[bytes], count: int, ray: str | None
) -> dict[str, float]:
    """CPU seconds a picture in this process and behind each server: the medians of the turns."""
    loop = Loop(made(folder / "loop"), next(pictures))
    with ExitStack() as stack:
        url, ours = started(stack, service(made(folder / "service")))
        batch = Settings().batch_size
        lit, theirs = started(stack, litserve(made(folder / "lit"), batch))
        servers = [
            ("service", partial(send, url), ours),
            ("LitServe", partial(send_lit, lit), theirs),
        ]
        if has_ray(ray):
            url, rays = started(stack, ray_serve(ray, made(folder / "ray"), batch))
            servers.append(("Ray Serve", partial(send_ray, url), rays))
        roofs: dict[str, Callable[[list[bytes]], float]] = dict(loop.works)
        for name, send_one, pids in servers:
            asyncio.run(called(1, [next(pictures)], send_one))
            for callers in CALLERS:
                plural = "s" if callers > 1 else ""
                work = partial(behind, send_one, callers, pids)
                roofs[f"{name}, {callers} caller{plural}"] = work
        turns = [
            {name: a_picture(work, list(islice(pictures, count))) for name, work in roofs.items()}
            for _ in range(TURNS)
        ]
    return {name: statistics.median(turn[name] for turn in turns) for name in roofs}


def a_picture(work: Callable[[list[bytes]], float], pictures: list[bytes]) -> float:
    """The CPU seconds that a work takes for one of some pictures."""
    return work(pictures) / len(pictures)


class Loop:
    """The detector in this process: its networks, itself, and with all that a worker adds. Each
    work returns the CPU seconds that it took for some pictures."""

    def __init__(self, folder: Path, picture: bytes) -> None:
        self._kit, self._settings = Kit(folder, threads=1), Settings()
        opened = open_picture(picture, self._settings)
        self._kit.detector.examine([opened])
        other = Kit(folder, threads=1)
        self._networks = recorded(other.detector)
        other.detector.examine([opened])
        self.works = {
            "networks alone": self._alone,
            "detector in a loop": self._plain,
            "drawn and stored": self._drawn,
        }

    def _alone(self, pictures: list[bytes]) -> float:
        return own(lambda: [network.alone() for _ in pictures for network in self._networks])

    def _plain(self, pictures: list[bytes]) -> float:
        examine, settings = self._kit.detector.examine, self._settings
        return own(lambda: [examine([open_picture(data, settings)]) for data in pictures])

    def _drawn(self, pictures: list[bytes]) -> float:
        kit = self._kit
        return own(lambda: [kit.examine([put_picture(kit.store, data)]) for data in pictures])


def own(work: Callable[[], object]) -> float:
    """CPU seconds of this process for the work."""
    start = time.process_time()
    work()
    return time.process_time() - start


def behind(send_one: Send, callers: int, pids: list[int], pictures: list[bytes]) -> float:
    """CPU seconds of a server's processes for some pictures."""
    start = taken(pids)
    asyncio.run(called(callers, pictures, send_one))
    return taken(pids) - start


def behind_rq(folder: Path, pictures: Iterator[bytes]) -> dict[str, float]:
    with stock_worker(folder) as ask:
        start = taken(descendants(os.getpid()))
        ask(1, list(islice(pictures, RQ_PHOTOS)))
        return {"RQ's own worker": (taken(descendants(os.getpid())) - start) / RQ_PHOTOS}


def taken(pids: Iterable[int]) -> float:
    """CPU seconds of processes, and of those that they awaited."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(int(value) for value in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
