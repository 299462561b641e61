from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from model_training.modelcard import render, stale, write
from tests.model_training.conftest import Measured
from unmask.detector.manifest import load_manifest

#: Numbers that are no measurements: names of things, and the sure side of a question.
NAMES = {"121", "140", "2.1", "2", "3", "4.0", "95", "127.5", "1", "256", "0.92"}


@pytest.fixture
def card(measured: Measured) -> str:
    return render(measured.metrics, load_manifest(measured.manifest))


def test_writing_twice_changes_nothing(measured: Measured, tmp_path: Path) -> None:
    paths = (measured.out / "metrics.json", measured.manifest, tmp_path / "docs" / "card.md")
    assert stale(*paths) != ""
    write(*paths)
    assert stale(*paths) == ""
    text = paths[2].read_text()
    write(*paths)
    assert paths[2].read_text() == text


def test_an_edited_figure_is_noticed(measured: Measured, tmp_path: Path) -> None:
    path = tmp_path / "card.md"
    files = (measured.out / "metrics.json", measured.manifest, path)
    write(*files)
    path.write_text(path.read_text().replace("100.0 %", "99.9 %", 1))
    assert "99.9 %" in stale(*files)


def test_every_figure_comes_from_the_files(measured: Measured, card: str) -> None:
    manifest = load_manifest(measured.manifest)
    known = set(NAMES)
    for value in _leaves([measured.metrics, manifest.model_dump()]):
        known |= {f"{value:.3f}", f"{100 * value:.1f}", f"{value:,}", f"{value:.3g}"}
        known |= {number.lstrip("-") for number in list(known)}
    shown = card.replace(manifest.sha256, "").replace(manifest.version, "")
    lines = [line for line in shown.splitlines() if not re.match(r"\d\. ", line)]
    numbers = re.findall(r"\d[\d,]*(?:\.\d+)?(?:e-\d+)?", "\n".join(lines))
    assert len(numbers) > 100
    assert [number for number in numbers if number.strip(",") not in known] == []


def test_nothing_is_called_genuine(card: str) -> None:
    for word in ("genuine", "authentic", "proven real", "not fake"):
        assert word not in card.lower()
    assert "never proves a picture to be untouched" in card.replace("\n", " ")


@pytest.mark.parametrize(
    "title", ["Intended use", "What it cannot see", "Data", "Calibration and bounds", "Versions"]
)
def test_the_usual_sections_are_there(card: str, title: str) -> None:
    assert f"\n## {title}" in card


def test_metrics_of_another_model_are_refused(measured: Measured) -> None:
    other = load_manifest(measured.manifest).model_copy(update={"sha256": "0" * 64})
    with pytest.raises(ValueError, match="another model"):
        render(measured.metrics, other)


def test_figures_that_are_not_there_are_named_so(measured: Measured) -> None:
    metrics = {**measured.metrics, "localisation": None, "history": None}
    card = render(metrics, load_manifest(measured.manifest))
    assert "Not measured: the split has no true masks." in card
    assert "Not recorded." in card


def _leaves(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value
