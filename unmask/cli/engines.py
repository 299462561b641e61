"""``unmask engines``: what the networks can run on here, how fast, and whether it is proved."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from unmask.detector.classifier import Classifier
from unmask.detector.engines.cache import Cache
from unmask.detector.engines.choice import MAKERS, lack, tested, wanted
from unmask.detector.engines.processor import described
from unmask.detector.engines.protocol import Engines
from unmask.detector.engines.timing import milliseconds
from unmask.detector.manifest import load_manifest
from unmask.environment import read_settings
from unmask.errors import Exit
from unmask.settings import Settings


def run(options: argparse.Namespace) -> int:
    """Try and time each engine; returns the exit status."""
    settings = read_settings(options.model)
    form = load_manifest(settings.model).quantised
    auto = wanted("auto", settings.threads, suits=form.engine if form else "")
    result: dict[str, Any] = {
        "processor": described(),
        "auto": auto.name,
        "setting": settings.engine,
        "engines": [_tried(name, settings) for name in MAKERS],
    }
    if options.json:
        sys.stdout.write(json.dumps(result) + "\n")
    else:
        _print(result)
    return Exit.DONE


def _tried(name: str, settings: Settings) -> dict[str, Any]:
    """An engine's name with what it lacks, or with its times and how far its answers are off."""
    missing = lack(name)
    if missing:
        return {"name": name, "works": False, "why": missing}
    try:
        engines = Engines.same(MAKERS[name](settings.threads, Cache()))
        classifier = Classifier(settings.model, settings.threads, engines)
        found = tested(classifier, settings.model, settings.threads)
        times = milliseconds(classifier)
    except (RuntimeError, ImportError) as error:  # how run times tell that they cannot
        return {"name": name, "works": False, "why": f"{type(error).__name__}: {error}"}
    return {
        "name": name,
        "works": not found.is_too_far,
        "why": str(found),
        "precision": engines.precision,
        "ms_a_face": {judge: round(value, 1) for judge, value in times.items()},
    }


def _print(result: dict[str, Any]) -> None:
    out = Console(soft_wrap=True)
    out.print(f"Processor: {result['processor']}")
    judges = dict.fromkeys(
        judge for engine in result["engines"] for judge in engine.get("ms_a_face", {})
    )
    table = Table("Engine", "Numbers", *(f"{judge}, ms" for judge in judges), "Self-test", box=None)
    for engine in result["engines"]:
        times = engine.get("ms_a_face", {})
        state = ("passed: " if engine["works"] else "refused: ") if times else ""
        table.add_row(
            engine["name"],
            engine.get("precision", ""),
            *(str(times.get(judge, "")) for judge in judges),
            state + engine["why"],
        )
    out.print(table)
    out.print("Milliseconds of processor time for one face.")
    out.print(f"UNMASK_ENGINE={result['setting']}; auto takes: {result['auto']}")
