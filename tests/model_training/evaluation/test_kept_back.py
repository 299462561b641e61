"""Collections kept back get rows of their own, and their origins are named."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from model_training.dataset.data import read_dataset, split_of
from model_training.evaluation import kept_back
from model_training.evaluation.predict import Degradation
from model_training.report.collections import kept_back_section
from tests.model_training.conftest import Measured, grey


@pytest.fixture
def table(measured: Measured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> kept_back.Table:
    blind = Degradation(kept_back.RESIZED, grey)
    monkeypatch.setattr(kept_back, "conditions", lambda: [blind])
    rows = split_of(read_dataset(measured.data), "test")
    origins = measured.data / kept_back.ORIGINS
    with origins.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(["file", "repository", "licence", "generator"])
        for row in rows[:-1]:
            writer.writerow([row.name, "someone/faces", "MIT", "gemini" if row.label else ""])
    try:
        found = kept_back.measure(
            measured.data, measured.manifest, tmp_path, cache=measured.cache, repeats=20
        )
    finally:
        origins.unlink()
    assert json.loads((tmp_path / kept_back.KEPT_BACK_FILE).read_text()) == found
    return found


def test_verdicts_agree_with_those_of_the_evaluation(
    table: kept_back.Table, measured: Measured
) -> None:
    row = table["copies"][kept_back.AS_IS]["all"]
    expected = measured.metrics["overall"]["verdicts"]
    for label in ("real", "fake"):
        assert {key: row[label][key] for key in expected[label]} == expected[label]
    assert row["auc"]["value"] == measured.metrics["overall"]["auc"]["value"]


def test_a_copy_is_judged_again(table: kept_back.Table) -> None:
    plain, copy = (
        table["copies"][name]["all"]["auc"]["value"]
        for name in (kept_back.AS_IS, kept_back.RESIZED)
    )
    assert plain > 0.9
    assert copy < 0.6  # without colour the stand-in cannot tell fakes
    assert table["flips"]["of"] >= table["flips"]["count"]


def test_every_collection_names_its_repositories(table: kept_back.Table) -> None:
    named = [one for found in table["origins"].values() for one in found["repositories"]]
    pictures = table["counts"]["real"] + table["counts"]["fake"]
    assert sum(one["pictures"] for one in named) == pictures - 1
    assert any(found["generators"] == ["gemini"] for found in table["origins"].values())


def test_the_page_shows_counts_intervals_and_licences(table: kept_back.Table) -> None:
    text = kept_back_section(table)
    assert "## Collections kept back" in text
    assert "someone/faces (MIT), " in text
    assert f"| **all** | {table['counts']['real']} |" in text
    assert kept_back_section(None) == ""
