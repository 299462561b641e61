"""The figures that people read are those that the files hold."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from model_training.cli import measuring
from model_training.evaluation.metrics import jsonable
from model_training.report import render
from unmask.cli import main
from unmask.detector.manifest import load_manifest
from unmask.settings import SHIPPED_MODEL

ROOT = Path(__file__).parents[3]
EVALUATION = ROOT / "docs" / "evaluation"
METRICS = EVALUATION / "metrics.json"


@pytest.mark.parametrize("page", measuring.PAGES)
def test_the_page_is_what_its_files_say(page: str) -> None:
    path = ROOT / measuring.PAGES[page]
    assert render.stale(page, EVALUATION, SHIPPED_MODEL, path) == ""


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
    assert metrics["model"]["thresholds"] == jsonable(manifest.thresholds.model_dump())
    assert len(data) <= 30_000_000


def test_the_readme_says_what_was_measured() -> None:
    overall = json.loads(METRICS.read_text(encoding="utf-8"))["overall"]
    said = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    counts, bound = overall["counts"], overall["at_bound"]
    assert f"({counts['real']} real and {counts['fake']} fake pictures)" in said
    assert f"calls {100 * bound['false_alarms']['value']:.1f} % of the real pictures fake" in said
    assert f"finds {100 * bound['recall']['value']:.1f} % of the fakes outright" in said
    unsure = sum(overall["verdicts"][word]["unsure"] for word in ("real", "fake")) / 2
    assert 0.27 < unsure < 0.33  # "about three in ten"


def test_the_readmes_example_is_what_the_command_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    block = (ROOT / "README.md").read_text(encoding="utf-8").split("```\n$ ")[1].split("```")[0]
    command, *shown = block.rstrip().splitlines()
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("NO_COLOR", "1")
    assert main(command.split()[1:]) == 0
    said = [line.rstrip() for line in capsys.readouterr().out.rstrip().splitlines()]
    assert said == shown
    alt = re.findall(
        r"!\[[^\]]*?(\d+) %[^\]]*\]\(docs/example/\w+\.annotated\.jpg\)",
        (ROOT / "README.md").read_text(),
    )
    assert alt == re.findall(r"FAKE (\d+) %", "\n".join(shown))


def test_the_changes_name_what_was_measured() -> None:
    auc = json.loads(METRICS.read_text(encoding="utf-8"))["overall"]["auc"]["value"]
    assert f"area under the curve {auc:.3f} on the test split" in (ROOT / "CHANGELOG.md").read_text(
        encoding="utf-8"
    )


def test_what_was_seen_is_told_in_words_and_counted_by_a_command() -> None:
    manifest = load_manifest(SHIPPED_MODEL)
    seen = json.loads((EVALUATION / "seen.json").read_text(encoding="utf-8"))
    assert seen["version"] == manifest.version
    assert not re.search(r"\d", seen["text"].replace("StyleGAN3", ""))
    gallery = json.loads((EVALUATION / "gallery.json").read_text(encoding="utf-8"))
    assert gallery["model"]["sha256"] == manifest.sha256
