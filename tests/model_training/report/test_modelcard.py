from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model_training.report import results
from model_training.report.blindspots import blind_spots
from model_training.report.inputs import Records, read_records
from model_training.report.modelcard import render
from model_training.report.render import stale, write
from tests.model_training.conftest import Measured
from unmask.detector.manifest import load_manifest

#: Numbers that are no measurements: names of things, and the sure side of a question.
NAMES = {"121", "140", "2.1", "2", "3", "4.0", "95", "127.5", "1", "256", "0.92"}


@pytest.fixture
def records(measured: Measured, tmp_path: Path) -> Records:
    return read_records(measured.out, measured.manifest, tmp_path / "no cost")


@pytest.fixture
def card(records: Records) -> str:
    return render(records)


def test_each_series_of_runs_has_its_tables(records: Records) -> None:
    def run(auc: float, **more: Any) -> dict[str, Any]:
        found = {"auc": {"value": auc, "interval": [0.1, 0.9], "real": 3, "fake": 4}, **more}
        return {"plan": {}, "val": found}

    area = {"value": 0.25, "interval": [0.2, 0.3], "count": 3}
    first = {"kept": run(0.81), "scratch": run(0.52)}
    second = {"with": run(0.83, false_area=area), "without": run(0.84)}
    counts = {"val": {"real": 3, "fake": 4}}
    page = results.render(
        replace(
            records,
            ablations=(
                {"about": "On a small network.", "counts": counts, "runs": first},
                {"about": "", "counts": counts, "runs": second},
            ),
        )
    )
    shown = page.partition("## Ablations")[2].partition("\n## ")[0]
    assert shown.index("On a small network.") < shown.index("0.810") < shown.index("0.830")
    small, _, large = shown.partition("| with |")
    assert "falsely marked |" not in small.partition("| kept |")[0]
    assert "25.0 %" in large and "0.520" in small
    assert "## Ablations" not in results.render(records)


@pytest.mark.parametrize("page", ["modelcard", "results"])
def test_writing_twice_changes_nothing(page: str, measured: Measured, tmp_path: Path) -> None:
    path = tmp_path / "docs" / "page.md"
    files = (page, measured.out, measured.manifest, path)
    assert stale(*files) != ""
    write(*files)
    assert stale(*files) == ""
    text = path.read_text()
    write(*files)
    assert path.read_text() == text


@pytest.mark.parametrize("page", ["modelcard", "results"])
def test_an_edited_figure_is_noticed(page: str, measured: Measured, tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    files = (page, measured.out, measured.manifest, path)
    write(*files)
    path.write_text(path.read_text().replace("100.0 %", "99.9 %", 1))
    assert "99.9 %" in stale(*files)


def test_every_figure_comes_from_the_files(measured: Measured, card: str) -> None:
    manifest = load_manifest(measured.manifest)
    known = set(NAMES)
    for value in _leaves([measured.metrics, measured.robustness, manifest.model_dump()]):
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


def test_what_other_mask_bounds_would_have_meant(card: str) -> None:
    assert "| aim for a real face's frame | mask bound |" in card
    assert "| 0.5 % | " in card


@pytest.mark.parametrize(
    "title", ["Intended use", "What it cannot see", "Data", "Calibration and bounds", "Versions"]
)
def test_the_usual_sections_are_there(card: str, title: str) -> None:
    assert f"\n## {title}" in card


def test_metrics_of_another_model_are_refused(measured: Measured) -> None:
    other = load_manifest(measured.manifest).model_copy(update={"sha256": "0" * 64})
    with pytest.raises(ValueError, match="another model"):
        Records(other, measured.metrics)
    for name in ("robustness", "goals", "noise"):
        found = {"model": {"sha256": "0" * 64}}
        with pytest.raises(ValueError, match="another model"):
            Records(load_manifest(measured.manifest), measured.metrics, **{name: found})


def test_figures_that_are_not_there_are_named_so(measured: Measured) -> None:
    metrics = {**measured.metrics, "localisation": None, "history": None, "self_made": None}
    card = render(Records(load_manifest(measured.manifest), metrics))
    assert "Not measured: the split has no true masks." in card
    assert "Not recorded." in card


def test_blind_spots_are_those_that_were_measured(records: Records) -> None:
    listed = blind_spots(records)
    loss = records.robustness["conditions"]["grey"]["auc_loss"]["value"]
    assert f"After grey: the area under the curve falls by {loss:.3f}" in listed
    assert "synthetic" not in listed  # all of its fakes were found
    metrics = copy.deepcopy(records.metrics)
    metrics["fakes_by_source"]["synthetic"]["real"] = 0.5
    metrics["reals_by_source"]["mixed"]["called_fake"]["value"] = 0.03
    listed = blind_spots(Records(records.manifest, metrics))
    assert "synthetic: of 50.0 % of 6 fakes in 3 groups no sign is found" in listed
    assert "Real pictures of mixed: 3.0 %" in listed
    assert "After" not in listed
    assert "kind whole" not in listed  # it is all of a source
    metrics["fakes_by_kind"]["reenactment"] = {
        **metrics["fakes_by_source"]["synthetic"],
        "real": 0.6,
        "count": 48,
        "groups": 3,
    }
    listed = blind_spots(Records(records.manifest, metrics))
    assert "kind reenactment: of 60.0 % of 48 fakes in 3 groups no sign is found" in listed


def test_what_training_cost_is_summed_up(records: Records) -> None:
    runs = [
        {"what": "first", "device": "a GPU", "minutes": 30, "kilowatts": 1},
        {"what": "second", "device": "a processor", "minutes": 90, "kilowatts": 0.5},
    ]
    card = render(replace(records, cost={"assumption": "a guess", "runs": runs}))
    assert "| second | a processor | 90.0 | 0.75 |" in card
    assert "Together 1.25 kWh. Nothing was metered. Assumed: a guess." in card
    assert "Environmental cost" not in render(records)


def test_what_was_seen_tells_of_which_model(records: Records) -> None:
    seen = {"version": records.manifest.version, "text": "They wear hats."}
    assert "They wear hats." in render(replace(records, seen=seen))
    assert "not been looked at" not in render(replace(records, seen=seen))
    old = render(replace(records, seen={**seen, "version": "0.0.0"}))
    assert "Of model 0.0.0. It has not been looked at again" in old


def _leaves(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value
