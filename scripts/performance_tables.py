"""Writes the tables of docs/performance.md, operation.md and desk.md that hold what was measured,
and the flame graphs of docs/performance.

Run it from the root of the repository, after a benchmark: ``python -m scripts.performance_tables``.
A test fails while the pages show anything but what stands in ``benchmarks/results``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks import turns
from benchmarks.flame_graph import PARTS, drawn, shares

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
#: Profiles, with the titles of their pictures.
FOLDED = {
    ROOT / "docs" / "performance" / "before.folded": "Before: the time of a check, by function",
    ROOT / "docs" / "performance" / "check.folded": "Now: the time of a check, by function",
}
PAGES = tuple(ROOT / "docs" / name for name in ("performance.md", "operation.md", "desk.md"))
_PLACE = re.compile(r"(<!-- measured: (\w+) -->\n).*?(<!-- end of measured -->)", re.DOTALL)
Cell = str | float | int


def with_tables(page: str) -> str:
    """The page with each table as it should be."""
    return _PLACE.sub(lambda place: f"{place[1]}{TABLES[place[2]]()}{place[3]}", page)


def shapes() -> str:
    """What a check costs by what is in the picture."""
    stages = ("decode", "faces", "model", "draw")
    head = ("picture", "CPU seconds", "of its networks' time", *stages)
    return _table(
        head,
        (
            (
                name,
                one["cpu_seconds"],
                one["of_networks"],
                *(f"{one[f'share of {stage}']:.0%}" for stage in stages),
            )
            for name, one in _read("shapes").items()
        ),
    )


def looks() -> str:
    """What the search costs and finds, by every look and as shipped."""
    head = ("pictures", "number", "faces by every look", "found as shipped")
    return _table(
        (*head, "megapixels by every look", "as shipped"),
        (
            (
                name,
                int(one["pictures"]),
                int(one["faces, every look"]),
                int(one["of them found as shipped"]),
                one["megapixels, every look"],
                one["megapixels as shipped"],
            )
            for name, one in _read("looks").items()
        ),
    )


def cascade() -> str:
    """How many runs of a judge could be spared."""
    found = _read("cascade")
    return _table(
        ("asked first", "fakes", "runs of the other spared"),
        (
            (judge, share.removesuffix(" fakes"), f"{one['spared']:.0%}")
            for share, judges in found.items()
            if isinstance(judges, dict)
            for judge, one in judges.items()
        ),
    )


def pipeline() -> str:
    """How much of a simulated device's pace a whole check keeps."""
    found = _read("pipeline")
    shares = found["pictures a second, of the device's own"]
    rows = ((name, f"{share:.0%}") for name, share in shares.items())
    milliseconds = found["milliseconds a face"]
    return _table(
        ("batches", f"pictures a second, of the device's own ({milliseconds:g} ms a face)"), rows
    )


def roofs() -> str:
    """CPU seconds under each roof."""
    found = _read("roofs")
    return _table(
        ("what carries a picture", "CPU seconds a picture", "of the networks"),
        ((name, value, found["of_networks"][name]) for name, value in found["cpu_seconds"].items()),
    )


def service() -> str:
    """Pictures a second of each path, as a share of the detector in a loop beside it, and of
    LitServe beside the service."""
    found = _read("service")
    ratios = {
        f"service {callers}": turns.told(ratio)
        for callers, ratio in turns.against(found["rounds"]).items()
    }
    head = ("path, callers", "pictures a second, of the detector in a loop", "of LitServe (range)")
    return _table(
        (*head, "milliseconds for one"),
        (
            (name, f"{one['share_of_loop']:.0%}", ratios.get(name, ""), round(one["median_ms"]))
            for name, one in found["summary"].items()
        ),
    )


def start() -> str:
    """CPU seconds of a start, by what an earlier one kept, and how long it took."""
    now, before = _read("start"), _read("start_before")
    return _table(
        ("what", "CPU before", "CPU, nothing kept", "CPU, kept", "seconds by the clock, kept"),
        (
            (
                name,
                *(one["cpu_seconds"] for one in (before[name]["kept"], found["nothing kept"])),
                *(found["kept"][value] for value in ("cpu_seconds", "seconds")),
            )
            for name, found in now.items()
        ),
    )


def queue_load() -> str:
    """What a check and a worker cost Valkey."""
    return _table(
        ("beside", "what", "commands", "CPU milliseconds"),
        (
            (f"{idle} workers", name, one["commands"], one["cpu_ms"])
            for idle, costs in _read("queue_load").items()
            if idle != "carried"
            for name, one in costs.items()
        ),
    )


def against() -> str:
    """The simulation beside the real queue."""
    head = (
        "workers",
        "checks",
        "mean wait, measured",
        "foretold",
        "95 of 100, measured",
        "foretold",
    )
    return _table(
        head,
        (
            (
                one["workers"],
                one["checks"],
                *(one[how]["mean_seconds"] for how in ("measured", "foretold")),
                *(one[how]["p95_seconds"] for how in ("measured", "foretold")),
            )
            for one in _read("scale")["against the real service"]
        ),
    )


def crowds() -> str:
    """How many workers a crowd needs."""
    found = _read("scale")
    soon = found["assumed"]["soon, seconds"]
    rates = found["assumed"]["at the peak, checks a second"]
    head = ("who", "checks a second at the peak", f"workers for waits under {soon:g} s")
    return _table(
        (*head, "core-hours a million checks", "dollars"),
        (
            (
                name,
                rates[name],
                one["least workers"],
                one["a million checks"]["core_hours"],
                one["a million checks"]["dollars"],
            )
            for name, one in found["crowds"].items()
        ),
    )


def waits() -> str:
    """The waits of each crowd by the number of workers."""
    return _table(
        ("who", "workers", "half wait less than, seconds", "95 of 100", "longest"),
        (
            (name, workers, wait["p50_seconds"], wait["p95_seconds"], wait["longest_seconds"])
            for name, one in _read("scale")["crowds"].items()
            for workers, wait in one["workers"].items()
        ),
    )


def profile() -> str:
    """The share of each part of a check in the samples of its profiles."""
    before, now = (shares(path.read_text(encoding="utf-8")) for path in FOLDED)
    rows = ((part, *(f"{one.get(part, 0):.0%}" for one in (before, now))) for part in PARTS)
    return _table(("part of a check", "share of samples before", "now"), rows)


def flame_graphs() -> dict[Path, str]:
    """The pictures of the profiles, by the file that each belongs into."""
    return {
        path.with_suffix(".svg"): drawn(path.read_text(encoding="utf-8"), title)
        for path, title in FOLDED.items()
    }


def stages() -> str:
    """Where a check's time goes on each engine."""
    found = _read("stages")
    return _table(
        ("UNMASK_ENGINE", "decode", "faces", "model", "draw", "whole check, times faster"),
        (
            (name, *times.values(), found["faster"][name])
            for name, times in found["ms_of_processor_time"].items()
        ),
    )


def engines() -> str:
    """How much faster each network is on each engine."""
    return _faster(_read("engines"))


def engines_vnni() -> str:
    """The same where OpenVINO has products of 8-bit numbers, and none of bfloat16."""
    return _faster(_read("engines_vnni"))


def _faster(result: dict[str, Any]) -> str:
    found = result["faster_than_onnxruntime_f32"]
    variants = list(dict.fromkeys(each for one in found.values() for each in one))
    return _table(
        ("network", *variants),
        ((name, *(one.get(each, "") for each in variants)) for name, one in found.items()),
    )


def proofs() -> str:
    """What changes on the test split when judges run on another engine."""
    return _proofs("engines")


def proofs_val() -> str:
    """The same on the validation split."""
    return _proofs("engines-val")


def _proofs(name: str) -> str:
    path = ROOT / "docs" / "evaluation" / f"{name}.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    head = ("variant", "pictures", "verdicts changed", "AUC falls by", "masks overlap by")
    return _table(
        (*head, "probability moves by, at most", "times faster", "may serve unasked"),
        (
            (
                name,
                one["pictures"],
                "{} ({:.1%} to {:.1%})".format(
                    one["verdicts_changed"], *one["verdicts_changed_interval"]
                ),
                f"{one['auc_fall']:.4f}",
                f"{one['mask_overlap']:.3f}",
                f"{one['probability_moved']['most']:.3f}",
                one.get("times_faster", ""),
                "yes" if one["may_serve_unasked"] else "no",
            )
            for name, one in found["variants"].items()
        ),
    )


def desk() -> str:
    """The steps of the desk with many cases, and against few, on each database."""
    names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
    databases = _read("desk")
    parts = []
    for kind, name in names.items():
        few, many, *_ = databases[kind]
        steps = databases[kind][many]["steps"]
        growth = databases[kind]["many_against_few"]
        rows = (
            (
                step,
                *(times[key] for key in ("median_ms", "p95_ms", "own_p95_ms")),
                *(growth[step][key] for key in ("median_ratio", "own_ratio")),
            )
            for step, times in steps.items()
        )
        head = (f"{name}, {int(many):,} cases", "ms", "p95", "p95 of processor time")
        parts.append(_table((*head, f"times those of {int(few):,}", "by processor time"), rows))
    return "\n".join(parts)


TABLES: dict[str, Callable[[], str]] = {
    one.__name__: one
    for one in (
        *(
            profile,
            shapes,
            looks,
            cascade,
            roofs,
            pipeline,
            service,
            start,
            queue_load,
            against,
            crowds,
            waits,
        ),
        *(stages, engines, engines_vnni, proofs, proofs_val, desk),
    )
}


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _table(head: Iterable[str], rows: Iterable[Iterable[Cell]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *([_cell(one) for one in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: Cell) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")
    for path, picture in flame_graphs().items():
        path.write_text(picture, encoding="utf-8")
