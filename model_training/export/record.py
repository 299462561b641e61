"""What is told in public of a training run, from the files that the run wrote."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any


def run_record(folder: Path | None) -> dict[str, Any]:
    """The run's plan and its last step, as a manifest has them; empty without a folder."""
    if folder is None:
        return {}
    plan = read_plan(folder)
    with (folder / "history.csv").open(newline="", encoding="utf-8") as lines:
        return {"plan": without_paths(plan), "steps": int(list(csv.DictReader(lines))[-1]["step"])}


def read_plan(folder: Path) -> dict[str, Any]:
    """The plan of the run in ``folder``, as its file has it."""
    plan: dict[str, Any] = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    return plan


def without_paths(plan: dict[str, Any]) -> dict[str, Any]:
    """A plan as its file has it, without the paths of one machine: of ``warmstart`` and ``teacher``
    only whether there was one. ``steps`` goes where ``minutes`` ruled."""
    hidden = {"data", "out", "processes", "tower"} | ({"steps"} if plan.get("minutes") else set())
    kept = {name: value for name, value in plan.items() if name not in hidden}
    return {**kept, **{name: bool(plan.get(name)) for name in ("warmstart", "teacher")}}
