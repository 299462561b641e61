"""The processor time that a check takes under each roof: for machines that are not quiet.

    python -m benchmarks.roofs [--photos 8]

The networks alone, in a bare loop of ONNX Runtime, are the floor; above it stand the detector in a
loop, our service, a LitServe server and RQ's own forking worker, each around the same detector,
which draws and stores alike. Counted are the CPU seconds of all processes of a roof, without the
caller's: :mod:`benchmarks.service` has the times, which need a quiet machine. The extra ``bench``
brings LitServe. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path

from benchmarks.check import recorded
from benchmarks.memory import descendants
from benchmarks.peers import Kit, put_picture
from benchmarks.service import (
    RESULTS,
    Send,
    called,
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
#: RQ's worker loads the networks for each picture.
RQ_PHOTOS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=int, default=8)
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    os.environ["UNMASK_THREADS"] = "1"
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="unmask-bench-") as name:
        folder, taken = Path(name), photos()
        for one in (loops, behind_service, behind_litserve, behind_rq):
            seconds |= one(made(folder / one.__name__), list(islice(taken, 4 * options.photos)))
    floor = seconds["networks alone"]
    result = {
        "photos": options.photos,
        "cpu_seconds": {name: round(value, 4) for name, value in seconds.items()},
        "of_networks": {name: round(value / floor, 3) for name, value in seconds.items()},
    }
    options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(options.out.read_text(encoding="utf-8"))


def loops(folder: Path, pictures: list[bytes]) -> dict[str, float]:
    """The detector in this process: its networks, itself, and with all that a worker adds."""
    kit, settings = Kit(folder), Settings()
    detector = kit.detector
    count = len(pictures) // 4
    detector.examine([open_picture(pictures[0], settings)])
    plain = own(lambda: [detector.examine([open_picture(p, settings)]) for p in pictures[:count]])
    drawn = own(
        lambda: [kit.examine([put_picture(kit.store, p)]) for p in pictures[count : 2 * count]]
    )
    kit.examiner.close()
    networks = recorded(detector)
    detector.examine([open_picture(pictures[0], settings)])
    alone = own(lambda: [network.alone() for network in networks])
    return {
        "networks alone": alone,
        "detector in a loop": plain / count,
        "drawn and stored": drawn / count,
    }


def own(work: Callable[[], object]) -> float:
    """CPU seconds of this process for the work."""
    start = time.process_time()
    work()
    return time.process_time() - start


def behind_service(folder: Path, pictures: list[bytes]) -> dict[str, float]:
    with service(folder) as url:
        return behind("service", partial(send, url), pictures)


def behind_litserve(folder: Path, pictures: list[bytes]) -> dict[str, float]:
    with litserve(folder, Settings().batch_size) as url:
        return behind("LitServe", partial(send_lit, url), pictures)


def behind_rq(folder: Path, pictures: list[bytes]) -> dict[str, float]:
    with stock_worker(folder) as ask, others() as spent:
        ask(1, pictures[:RQ_PHOTOS])
        return {"RQ's own worker": spent() / RQ_PHOTOS}


def behind(name: str, one: Send, pictures: list[bytes]) -> dict[str, float]:
    """CPU seconds a picture with one caller and with several, once it is warm."""
    count = len(pictures) // 4
    asyncio.run(called(1, pictures[:1], one))
    seconds = {}
    for number, callers in enumerate(CALLERS, 1):
        with others() as spent:
            asyncio.run(called(callers, pictures[number * count : (number + 1) * count], one))
            plural = "s" if callers > 1 else ""
            seconds[f"{name}, {callers} caller{plural}"] = spent() / count
    return seconds


@contextmanager
def others() -> Iterator[Callable[[], float]]:
    """A function that says how many CPU seconds the processes below this one took since."""
    start = taken()
    yield lambda: taken() - start


def taken() -> float:
    """CPU seconds of all processes below this one, and of those that they awaited."""
    ticks = 0
    for pid in descendants(os.getpid()):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(int(value) for value in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
