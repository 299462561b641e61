"""The work of a worker by one thread, for a profiler to watch.

    py-spy record --function --rate 250 --format raw --output raw.txt -- python -m benchmarks.flame
    python -m benchmarks.flame raw.txt

The photographs are those of :mod:`benchmarks.check`: examined, drawn and stored one by one. The
second command keeps the samples of that work in docs/performance/check.folded, a stack and its
number a line; ``python -m scripts.performance_tables`` draws them
(:mod:`benchmarks.flame_graph`), and speedscope.app opens them.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2

from benchmarks.check import make_photos
from benchmarks.peers import Kit, put_picture

FOLDED = Path(__file__).parents[1] / "docs" / "performance" / "check.folded"
PHOTOS = 20
#: Where the work of a thread begins, and what stands in stacks of preparing and of waiting.
_BEGIN = re.compile(r"(Examiner|Detector)\.\w+ \(")
_OTHER = re.compile(r"make_photos|__init__ \(benchmarks|open_session|Condition.wait|_tstate_lock")
_PLACE = re.compile(r" \((?:[^();]*/)?(\w+)\.(?:py|so|pyx):\d+\)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("raw", nargs="?", type=Path)
    raw = parser.parse_args().raw
    if raw is None:
        work()
    else:
        FOLDED.parent.mkdir(exist_ok=True)
        stacks = Counter[str]()
        for stack, count in kept(raw.read_text(encoding="utf-8")):
            stacks[stack] += count
        lines = (f"{stack} {count}\n" for stack, count in sorted(stacks.items()))
        FOLDED.write_text("".join(lines), encoding="utf-8")


def work() -> None:
    """Examine, draw and store the photographs."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory(prefix="unmask-bench-") as name:
        folder = Path(name)
        make_photos(folder / "photos", PHOTOS)
        kit = Kit(folder, threads=1)
        for path in sorted((folder / "photos").iterdir()):
            kit.examine([put_picture(kit.store, path.read_bytes())])
        kit.examiner.close()


def kept(raw: str) -> Iterator[tuple[str, int]]:
    """The stacks of the work, from where it begins, with their numbers of samples."""
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        begin = _BEGIN.search(stack)
        if begin and not _OTHER.search(stack):
            yield _PLACE.sub(r" (\1)", stack[begin.start() :]), int(count)


if __name__ == "__main__":
    main()
