"""The figures that people read are those that the files hold."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from model_training import documents, measuring
from unmask.detector import SHIPPED_MODEL
from unmask.detector.manifest import load_manifest

ROOT = Path(__file__).parents[2]
EVALUATION = ROOT / "docs" / "evaluation"
METRICS = EVALUATION / "metrics.json"


@pytest.mark.parametrize("page", measuring.PAGES)
def test_the_page_is_what_its_files_say(page: str) -> None:
    path = ROOT / measuring.PAGES[page]
    assert documents.stale(page, EVALUATION, SHIPPED_MODEL, path) == ""


def test_every_plot_that_is_shown_is_there() -> None:
    page = (ROOT / measuring.PAGES["results"]).read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page)
    assert len(shown) >= 6
    assert [name for name in shown if not (ROOT / "docs" / name).is_file()] == []


def test_the_figures_are_of_the_shipped_model() -> None:
    manifest = load_manifest(SHIPPED_MODEL)
    data = (SHIPPED_MODEL.parent / manifest.file).read_bytes()
    assert hashlib.sha256(data).hexdigest() == manifest.sha256
    metrics = json.loads(METRICS.read_text(encoding="utf-8"))
    assert metrics["model"]["sha256"] == manifest.sha256
    thresholds = manifest.thresholds.model_dump()
    assert metrics["model"]["thresholds"] == pytest.approx(thresholds, abs=1e-6)
    assert len(data) <= 30_000_000


def test_the_readme_says_what_was_measured() -> None:
    overall = json.loads(METRICS.read_text(encoding="utf-8"))["overall"]
    said = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    counts, bound = overall["counts"], overall["at_bound"]
    assert f"({counts['real']} real and {counts['fake']} fake pictures)" in said
    assert f"calls {100 * bound['false_alarms']['value']:.1f} % of the real pictures fake" in said
    assert f"finds {100 * bound['recall']['value']:.1f} % of the fakes outright" in said
    unsure = sum(overall["verdicts"][word]["unsure"] for word in ("real", "fake")) / 2
    assert 0.33 < unsure < 0.42  # "a good third"
