"""Writes the pages that are rendered from what was measured, and tells whether they still hold."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

from model_training.report import modelcard, results
from model_training.report.inputs import Records, read_records

Render = Callable[[Records], str]
#: The pages, by the command that writes each.
PAGES: dict[str, Render] = {"modelcard": modelcard.render, "results": results.render}


def write(page: str, folder: Path, manifest_path: Path, path: Path) -> None:
    """Write a page for the evaluation in ``folder`` and the manifest it was made with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PAGES[page](read_records(folder, manifest_path)), encoding="utf-8")


def stale(page: str, folder: Path, manifest_path: Path, path: Path) -> str:
    """What differs between a page and what the files say, as a unified diff; "" if nothing.

    A page that is not there differs in every line.
    """
    written = path.read_text(encoding="utf-8") if path.is_file() else ""
    expected = PAGES[page](read_records(folder, manifest_path))
    return "".join(
        difflib.unified_diff(
            written.splitlines(keepends=True),
            expected.splitlines(keepends=True),
            str(path),
            "rendered again",
        )
    )
