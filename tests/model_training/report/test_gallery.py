from __future__ import annotations

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from model_training.report import gallery
from model_training.report.gallery import COLUMNS, LINES, SIDE, draw_gallery
from tests.model_training.conftest import Measured


@pytest.fixture(scope="module")
def drawn(measured: Measured, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    out = tmp_path_factory.mktemp("gallery")
    (out / "found-9.jpg").write_bytes(b"of an earlier gallery")
    counts = draw_gallery(
        measured.data,
        measured.manifest,
        out,
        limit=4,
        cache=measured.cache,
        record=out / "figures.json",
    )
    return out, counts


def test_every_picture_with_a_face_is_in_one_group(measured: Measured, drawn: tuple) -> None:
    verdicts = measured.metrics["overall"]["verdicts"]
    shares = {"found": "fake", "unsure-fakes": "unsure", "missed": "real"}
    for name, verdict in shares.items():
        assert drawn[1][name] == round(verdicts["fake"][verdict] * 12)
    assert sum(drawn[1].values()) == 17


def test_the_sheets_show_what_the_page_says(drawn: tuple) -> None:
    out, counts = drawn
    page = (out / "index.html").read_text()
    shown = re.findall(r'<img src="([^"]+)" alt="[^"]+">', page)
    assert sorted(shown) == sorted(path.name for path in out.glob("*.jpg"))
    assert "found-9.jpg" not in shown
    assert f"Fakes called fake: {counts['found']} of 12" in page
    for name in shown:
        sheet = cv2.imread(str(out / name))
        assert sheet is not None
        assert sheet.shape[1] % (2 * SIDE) == 0
        assert sheet.std() > 10


def test_the_most_surprising_come_first(drawn: tuple) -> None:
    section = (drawn[0] / "index.html").read_text().split("<h2>Fakes called fake")[1]
    first = re.findall(r"<li>([^<]+)</li>", section.split("<h2>")[0])
    assert len(first) == 4
    assert all("local" in name for name in first)  # those with a natural part only


def test_what_the_groups_hold_is_recorded(measured: Measured, drawn: tuple) -> None:
    out, counts = drawn
    record = json.loads((out / "figures.json").read_text())
    assert record["model"]["sha256"] == measured.metrics["model"]["sha256"]
    groups = record["groups"]
    assert {name: group["count"] for name, group in groups.items()} == {
        name: count for name, count in counts.items() if count
    }
    for name, group in groups.items():
        assert sum(group["kinds"].values()) == sum(group["sources"].values()) == group["count"]
        low, high = group["chance"]
        assert 0 <= low <= high <= 1
        assert group["of"] == (6 if name in {"cleared", "false-alarms", "unsure-reals"} else 12)
        assert 0 <= group["unmarked"] <= 1
        assert 0 < group["brightness"] < 255
    assert groups["found"]["chance"][0] > groups["cleared"]["chance"][1]


def test_pictures_are_laid_out_in_sheets() -> None:
    tile = np.zeros((10, 20, 3), np.uint8)
    sheets = list(gallery._sheets([tile] * (COLUMNS * LINES + 1)))
    assert [sheet.shape for sheet in sheets] == [(10 * LINES, 20 * COLUMNS, 3), (10, 20, 3)]


def test_only_the_sources_asked_for(measured: Measured, tmp_path: Path) -> None:
    counts = draw_gallery(
        measured.data, measured.manifest, tmp_path, sources=["synthetic"], cache=measured.cache
    )
    assert sum(counts.values()) == 6
    assert counts["found"] == 6


def test_a_source_that_is_not_there(measured: Measured, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such pictures"):
        draw_gallery(measured.data, measured.manifest, tmp_path, sources=["nobody"])


def test_names_are_written_as_text() -> None:
    section = gallery._section(gallery.GROUPS[0], [], (1, 1), ["<script>.jpg"])
    assert "<script>" not in section
