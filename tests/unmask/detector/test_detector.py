"""Pictures in, reports and masks out; the stand-in model calls natural colours fake."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.pictures import encoded, stored_as
from tests.unmask.detector.subjects import (
    FAKE,
    REAL,
    UNSURE,
    enlarged,
    examined,
    grey,
    picture,
    scenery,
    swapped,
)
from unmask.detector import detector as detecting
from unmask.detector import memory, networks
from unmask.detector.align import Pixels
from unmask.detector.detector import Detector
from unmask.detector.examination import Examination
from unmask.detector.faces import Search
from unmask.errors import UnmaskError
from unmask.images import Picture, open_picture
from unmask.report import UnsureReason, Verdict
from unmask.settings import Settings
from unmask.warning_codes import warn


@pytest.fixture(scope="module")
def detector(colour_model: Path) -> Detector:
    return Detector(Settings(model=colour_model, threads=2))


@pytest.mark.parametrize(("change", "verdict"), [(np.copy, FAKE), (swapped, REAL), (grey, UNSURE)])
def test_one_face_is_judged(
    detector: Detector, portrait: Pixels, change: object, verdict: Verdict
) -> None:
    source = picture(change(portrait))  # type: ignore[operator]
    (found,) = examined(detector, source)
    report = found.report
    (face,) = report.faces
    assert report.verdict == face.verdict == verdict
    assert report.fake_probability == face.fake_probability
    assert report.sha256 == source.sha256
    assert (report.image.width, report.image.height, report.image.format) == (512, 512, "PNG")
    assert (report.model.name, report.model.version) == ("colour", "0.0.1")
    assert report.threshold == 0.6
    x, y, width, height = face.box
    assert x < face.landmarks[0][0] < face.landmarks[1][0] < x + width
    assert y < face.landmarks[0][1] < face.landmarks[4][1] < y + height
    np.testing.assert_allclose(face.landmarks[0], (203, 102), atol=4)
    np.testing.assert_allclose(face.landmarks[4], (241, 144), atol=4)


def test_faces_are_found_and_judged_apart(detector: Detector, portrait: Pixels) -> None:
    """As a video's frames are: found in each, then judged together."""
    head = portrait[:300, 90:390]
    frames = [detector.find(np.hstack([head, swapped(head)])), detector.find(grey(portrait))]
    assert [(len(found.crops), found.total) for found in frames] == [(2, 2), (1, 1)]
    crops = [crop for found in frames for crop in found.crops]
    assert {crop.pixels.shape for crop in crops} == {(224, 224, 3)}
    judgements = detector.judge([crop.pixels for crop in crops])
    (pair,) = examined(detector, picture(np.hstack([head, swapped(head)])))
    for crop, judgement, face in zip(crops, judgements, pair.report.faces, strict=False):
        assert judgement.fake_probability == pytest.approx(face.fake_probability, abs=1e-6)
        np.testing.assert_allclose(crop.place.landmarks, face.landmarks)
    assert detector.find(scenery()).crops == ()
    assert detector.judge([]) == []


def test_the_mask_marks_what_the_heatmap_says(detector: Detector, portrait: Pixels) -> None:
    """Natural colours on the mouth alone."""
    pixels = grey(portrait)
    pixels[128:160, 195:252] = (220, 60, 30)
    (found,) = examined(detector, picture(pixels))
    mask, heatmap = found.mask(), found.heatmap()
    assert mask.shape == heatmap.shape == (512, 512)
    assert set(np.unique(mask)) == {0, 255}
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max()) == pytest.approx((128, 159), abs=2)
    assert (columns.min(), columns.max()) == pytest.approx((195, 251), abs=2)
    assert heatmap[144, 220] > 200
    assert heatmap[115, 225] == pytest.approx(128, abs=3)
    assert heatmap[300, 500] == 0  # outside the frame
    (face,) = found.report.faces
    assert 0.1 < face.tampered_fraction < 0.4
    (polygon,) = face.outline
    again = np.zeros_like(mask)
    cv2.fillPoly(again, [np.array(polygon)], 255)
    shared = np.count_nonzero(mask & again) / np.count_nonzero(mask | again)
    assert shared > 0.9


def test_only_suspect_faces_are_marked(colour_model: Path, portrait: Pixels) -> None:
    """With a bound under every pixel's value, the mask is the frames of the suspect faces."""
    low = Detector(Settings(model=colour_model, threads=2), threshold=0.0)
    head = portrait[:300, 90:390]
    row = np.hstack([head, swapped(head), grey(head)])
    (found,) = examined(low, picture(row))
    assert sorted(face.verdict for face in found.report.faces) == [FAKE, REAL, UNSURE]
    mask, heatmap = found.mask(), found.heatmap()
    middles = {face.verdict: round(face.landmarks[2][0]) for face in found.report.faces}
    for verdict, x in middles.items():
        assert (mask[130, x] == 255) == (verdict is not REAL)
        assert heatmap[130, x] > 0
    for face in found.report.faces:
        assert (face.tampered_fraction == 1.0) == (face.verdict is not REAL)
        assert bool(face.outline) == (face.verdict is not REAL)
    assert found.report.threshold == 0
    assert 0.1 < np.mean(mask > 0) < 0.5  # two frames, not what no face has
    (nobody,) = examined(low, picture(scenery()))
    assert not nobody.mask().any()


def test_a_picture_is_as_suspicious_as_its_worst_face(detector: Detector, portrait: Pixels) -> None:
    head = portrait[:300, 90:390]
    (found,) = examined(detector, picture(np.hstack([swapped(head), head, grey(head)])))
    report = found.report
    assert report.verdict is FAKE
    assert report.fake_probability == max(face.fake_probability for face in report.faces)
    assert "3 faces" in report.statement


def test_a_batch_is_judged_as_one_by_one(detector: Detector, portrait: Pixels) -> None:
    head = portrait[:300, 90:390]
    sources = [
        picture(portrait),
        picture(scenery()),
        picture(np.hstack([swapped(head), head])),
        picture(np.tile(head, (3, 4, 1))),  # more faces than a batch of the network
        picture(grey(portrait)),
    ]
    together = examined(detector, *sources)
    alone = [examined(detector, source)[0] for source in sources]
    assert [len(item.report.faces) for item in together] == [1, 0, 2, 12, 1]
    for one, other in zip(together, alone, strict=True):
        assert one.report.sha256 == other.report.sha256
        assert one.report.verdict == other.report.verdict
        for a, b in zip(one.report.faces, other.report.faces, strict=True):
            assert a.box == b.box
            assert a.fake_probability == pytest.approx(b.fake_probability, abs=1e-3)
        np.testing.assert_array_equal(one.mask(), other.mask())


def test_one_bad_picture_fails_alone(detector: Detector, portrait: Pixels) -> None:
    good = picture(portrait, "JPEG")
    bad = replace(good, data=good.data[: len(good.data) // 2])
    first, broken, last = detector.examine([good, bad, picture(swapped(portrait))])
    assert isinstance(broken, UnmaskError)
    assert broken.code == "truncated"
    assert isinstance(first, Examination)
    assert isinstance(last, Examination)
    assert (first.report.verdict, last.report.verdict) == (FAKE, REAL)
    (alone,) = detector.examine([bad])
    assert isinstance(alone, UnmaskError)
    assert detector.examine([]) == []


def test_no_face_is_no_verdict(detector: Detector) -> None:
    source = picture(scenery(300, 200))
    (found,) = examined(detector, source)
    assert found.report.verdict is Verdict.NO_FACE
    assert found.report.fake_probability is None
    assert found.report.faces == ()
    assert not found.mask().any()
    assert not found.heatmap().any()
    assert found.mask().shape == (200, 300)
    assert found.annotated().shape == (200, 300, 3)


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_results_lie_on_the_picture_as_shown(
    detector: Detector, portrait: Pixels, orientation: int
) -> None:
    shown = Image.fromarray(portrait[:300, 60:440])
    stored, exif = stored_as(shown, orientation)
    source = open_picture(encoded(stored, "JPEG", exif=exif, quality=95), Settings())
    (found,) = examined(detector, source)
    assert (found.report.image.width, found.report.image.height) == (380, 300)
    assert found.mask().shape == found.heatmap().shape == (300, 380)
    assert found.annotated().shape == (300, 380, 3)
    np.testing.assert_allclose(found.report.faces[0].landmarks[0], (143, 102), atol=4)


def inside(points: Sequence[tuple[float, float]], width: int, height: int) -> bool:
    return all(0 <= x < width and 0 <= y < height for x, y in points)


@pytest.mark.parametrize(
    ("top", "left", "bottom", "right"),
    [(0, 0, 512, 512), (60, 150, 250, 290), (74, 184, 512, 512), (0, 0, 168, 266)],
    ids=["all", "tight", "top left", "bottom right"],
)
@pytest.mark.parametrize("factor", [1, 9])
def test_boxes_and_outlines_stay_inside(
    colour_model: Path, portrait: Pixels, top: int, left: int, bottom: int, right: int, factor: int
) -> None:
    """Also where the face's frame leaves the picture, and where a reduced JPEG was searched."""
    low = Detector(Settings(model=colour_model, threads=2), threshold=0.01)
    pixels = enlarged(portrait[top:bottom, left:right], factor)
    height, width = pixels.shape[:2]
    (found,) = examined(low, picture(pixels, "JPEG"))
    (face,) = found.report.faces
    x, y, across, down = face.box
    assert 0 <= x < x + across <= width
    assert 0 <= y < y + down <= height
    assert face.outline
    assert all(inside(polygon, width, height) for polygon in face.outline)
    assert inside(face.landmarks, width, height)
    assert found.mask().shape == (height, width)


def test_small_frames_are_not_called_fake(
    colour_model: Path, portrait: Pixels, tmp_path: Path
) -> None:
    """The portrait's frame measures 162 pixels, also as a JPEG that was searched reduced."""
    (tmp_path / "colour.onnx").write_bytes((colour_model.parent / "colour.onnx").read_bytes())
    manifest = json.loads(colour_model.read_text())
    path = tmp_path / "manifest.json"
    large = enlarged(portrait[:256, 95:351], 10)
    for least, small_verdict, large_verdict in ((150, FAKE, FAKE), (180, UNSURE, FAKE)):
        path.write_text(json.dumps(manifest | {"min_face": least}))
        careful = Detector(Settings(model=path, threads=2))
        small, big = examined(careful, picture(portrait), picture(large, "JPEG"))
        assert (small.report.verdict, big.report.verdict) == (small_verdict, large_verdict)
        reasons = (UnsureReason.TOO_SMALL,) if small_verdict is UNSURE else ()
        assert (small.report.faces[0].reasons, big.report.faces[0].reasons) == (reasons, ())
    path.write_text(json.dumps(manifest | {"min_face": 1000}))
    (big,) = examined(Detector(Settings(model=path, threads=2)), picture(large, "JPEG"))
    assert big.report.verdict is FAKE  # 1617 pixels in the picture, if 808 in the reduced one


def test_the_stages_add_up(detector: Detector, portrait: Pixels) -> None:
    large = picture(enlarged(portrait[:256, 95:351], 10), "JPEG")
    twice = scenery(2600, 1400)
    twice[100:612, 1500:2012] = portrait
    for found in examined(detector, large, picture(twice, "JPEG"), picture(scenery())):
        spent = found.report.timings_ms
        parts = (spent.queue, spent.decode, spent.faces, spent.model, spent.draw)
        assert spent.total == pytest.approx(sum(parts))
        assert min(parts) >= 0
        assert spent.decode > 0
        assert spent.faces > 0
        assert (spent.model > 0) == bool(found.report.faces)


def test_both_searches_count_as_finding_faces(
    detector: Detector, portrait: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each search and each decoding here takes an hour by the clock."""
    now = [0.0]
    search, decode = detector._finder.search, Picture.appearances

    def slowly(hours: float, action: object) -> object:
        def slow(*values: object, **others: object) -> object:
            now[0] += hours * 3600
            return action(*values, **others)  # type: ignore[operator]

        return slow

    monkeypatch.setattr(detecting.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(detector._finder, "search", slowly(1, search))
    monkeypatch.setattr(Picture, "appearances", slowly(10, decode))
    pixels = scenery(2600, 1400)
    pixels[100:612, 1500:2012] = portrait
    (found,) = examined(detector, picture(pixels, "JPEG"))
    spent = found.report.timings_ms
    hour = 3_600_000
    assert (spent.decode, spent.faces, spent.total) == (20 * hour, 2 * hour, 22 * hour)


def test_the_threshold_can_be_chosen(colour_model: Path, portrait: Pixels) -> None:
    areas = []
    for threshold in (None, 0.5, 0.9):
        judge = Detector(Settings(model=colour_model, threads=2), threshold)
        (found,) = examined(judge, picture(portrait))
        assert found.report.threshold == (0.6 if threshold is None else threshold)
        areas.append(np.count_nonzero(found.mask()))
    assert areas[1] > areas[0] > areas[2] > 0


def test_no_more_faces_than_the_setting_allows(colour_model: Path, portrait: Pixels) -> None:
    """The report warns of it: the face that matters may be among the others."""
    crowd = picture(np.tile(portrait[:300, 90:390], (2, 3, 1)))
    for most, said in ((4, (warn("faces_left_out", number=4, total=6),)), (6, ())):
        (found,) = examined(Detector(Settings(model=colour_model, max_faces=most)), crowd)
        assert len(found.report.faces) == most
        assert found.report.warning_codes == said
        assert found.report.warnings == tuple(warning.english for warning in said)


def test_faces_that_may_have_been_missed_are_warned_of(
    detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the reduced JPEG may have hidden does not count: it is searched in full."""
    searched = iter([Search([], 90), Search([], 50)])
    monkeypatch.setattr(detector._finder, "search", lambda *_, is_reduced: next(searched))
    (found,) = examined(detector, picture(scenery(2600, 1400), "JPEG"))
    assert found.report.verdict is Verdict.NO_FACE
    assert [(warning.code, warning.parameters) for warning in found.report.warning_codes] == [
        ("small_faces_missed", {"number": 50})
    ]


def test_large_pictures_take_memory_one_at_a_time_and_give_it_back(
    detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "KEPT_PIXELS", 300_000)
    events: list[str] = []
    plain = detector._finder.search

    def search(pixels: Pixels, before: Search | None, is_reduced: bool) -> Search:
        events.append("begin")
        time.sleep(0.05)
        events.append("end")
        return plain(pixels, before, is_reduced)

    monkeypatch.setattr(detector._finder, "search", search)
    monkeypatch.setattr(detecting, "give_back", lambda: events.append("given back"))
    examined(detector, *(picture(scenery(800, 500)) for _ in range(3)))
    assert events == ["begin", "end"] * 3 + ["given back"]
    events.clear()
    examined(detector, picture(scenery(300, 200)))
    assert events == ["begin", "end"]


def test_what_opening_the_networks_took_is_given_back(
    colour_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    monkeypatch.setattr(networks, "give_back", lambda: events.append("given back"))
    Detector(Settings(data=tmp_path, model=colour_model))
    assert events == ["given back"]


def test_the_annotated_picture_shows_the_face(detector: Detector, portrait: Pixels) -> None:
    (found,) = examined(detector, picture(portrait))
    drawn = found.annotated()
    assert drawn.shape == portrait.shape
    changed = (drawn != portrait).any(axis=2)
    assert changed[found.mask() > 0].mean() > 0.9
    assert changed.mean() < 0.5
