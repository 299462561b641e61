"""What large pictures cost in memory: looked at whole, without ONNX Runtime's arena, or in parts.

    python -m benchmarks.arena [WAY ...]

Each way runs in a process of its own, all in one run: ordinary photos first,
then one of the largest pictures that are allowed, then ordinary ones again. Linux only.
"As shipped" takes the engine that the machine offers (``UNMASK_ENGINE=auto``), the way after it
ONNX Runtime.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import sys
import time
from io import BytesIO
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any

from PIL import Image

from benchmarks.memory import MB, large_photos, resident
from benchmarks.service import RESULTS, photos
from unmask.detector import centerface, session, tiles
from unmask.detector.detector import Detector
from unmask.images import open_picture
from unmask.settings import Settings

RESULT = RESULTS / "arena.json"
RUNTIME_ALONE = "as shipped, ONNX Runtime"
WAYS = ("whole pictures", "whole pictures, no arena", "as shipped", RUNTIME_ALONE)
ORDINARY = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("ways", nargs="*", metavar="WAY", help=", ".join(WAYS))
    table = json.loads(RESULT.read_text(encoding="utf-8"))
    table |= {way: alone(way) for way in parser.parse_args().ways or WAYS}
    RESULT.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(RESULT.read_text(encoding="utf-8"))


def alone(way: str) -> dict[str, float]:
    """What one way costs, measured in a fresh process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=measure, args=(way, theirs))
    process.start()
    result: dict[str, float] = ours.recv()
    process.join()
    return result


def measure(way: str, answer: Connection) -> None:
    """Examine the pictures; sends megabytes held and CPU seconds."""
    keep(way)
    settings = Settings(threads=1, engine="onnxruntime" if way == RUNTIME_ALONE else "auto")
    detector = Detector(settings)
    small = list(islice(photos(), ORDINARY + 1))
    result = {"opened": held()}
    examine(detector, small[:1])
    start = time.process_time()
    examine(detector, small[1:])
    result["cpu_seconds_a_photo"] = round((time.process_time() - start) / ORDINARY, 4)
    result["after_photos"] = held()
    start = time.process_time()
    flat = BytesIO()
    side = int(settings.max_pixels**0.5)
    Image.new("RGB", (side, side), (120, 130, 140)).save(flat, "PNG")
    examine(detector, [flat.getvalue()])
    examine(detector, large_photos(1, settings.max_pixels))
    result["cpu_seconds_large"] = round(time.process_time() - start, 2)
    result["highest"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
    examine(detector, small[1:3])
    result["at_the_end"] = held()
    answer.send(result)


def keep(way: str) -> None:
    """Look at pictures, and keep memory, in this way."""
    if way.startswith("as shipped"):
        return
    tiles.WHOLE = 1_000_000_000
    centerface.KEPT_INPUT = tiles.WHOLE
    plain = session._options

    def options(threads: int) -> Any:
        chosen = plain(threads)
        chosen.enable_cpu_mem_arena = way != "whole pictures, no arena"
        return chosen

    session._options = options


def examine(detector: Detector, pictures: list[bytes]) -> None:
    """Examine pictures one by one, as they come."""
    settings = Settings()
    for data in pictures:
        detector.examine([open_picture(data, settings)])


def held() -> int:
    """Megabytes that this process holds."""
    return round(resident(os.getpid()) / MB)


if __name__ == "__main__":
    main()
