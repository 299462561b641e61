"""Large JPEGs are decoded at a part of their size, and whole where small faces need it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.unmask.detector.subjects import enlarged, examined, grey, picture, scenery, swapped
from unmask.detector import detector as detecting
from unmask.detector.align import Pixels
from unmask.detector.centerface import Glance
from unmask.detector.detector import Detector
from unmask.images import Appearance, Picture
from unmask.settings import Settings


@pytest.fixture(scope="module")
def detector(colour_model: Path) -> Detector:
    return Detector(Settings(model=colour_model, threads=2))


@pytest.fixture
def decodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The scales at which pictures were decoded, in order."""
    seen: list[int] = []
    plain = Picture.appearances

    def counted(self: Picture, shrink: int = 1) -> Iterator[Appearance]:
        seen.append(shrink)
        return plain(self, shrink)

    monkeypatch.setattr(Picture, "appearances", counted)
    yield seen


@pytest.mark.parametrize("change", [np.copy, swapped, grey], ids=["fake", "real", "unsure"])
def test_a_reduced_jpeg_is_judged_as_the_whole_one(
    detector: Detector,
    portrait: Pixels,
    decodes: list[int],
    monkeypatch: pytest.MonkeyPatch,
    change: object,
) -> None:
    large = enlarged(change(portrait[:256, 95:351]), 10)  # type: ignore[operator]
    source = picture(large, "JPEG")
    (reduced,) = examined(detector, source)
    assert decodes == [2]
    monkeypatch.setattr(Picture, "shrink_for", lambda picture, side: 1)
    (whole,) = examined(detector, source)
    assert decodes == [2, 1]
    (one,), (other,) = reduced.report.faces, whole.report.faces
    assert one.verdict == other.verdict
    assert one.fake_probability == pytest.approx(other.fake_probability, abs=0.02)
    eyes = other.landmarks[1][0] - other.landmarks[0][0]
    np.testing.assert_allclose(one.landmarks, other.landmarks, atol=0.06 * eyes)
    np.testing.assert_allclose(one.box, other.box, atol=0.2 * eyes)
    assert reduced.mask().shape == whole.mask().shape == (2560, 2560)
    differ = np.count_nonzero(reduced.mask() != whole.mask())
    assert differ < 0.03 * 2560 * 2560


def test_small_faces_are_cut_from_the_whole_jpeg(
    detector: Detector, portrait: Pixels, decodes: list[int]
) -> None:
    pixels = scenery(2600, 1400)
    pixels[100:612, 1500:2012] = portrait
    (found,) = examined(detector, picture(pixels, "JPEG"))
    assert decodes == [2, 1]
    (face,) = found.report.faces
    np.testing.assert_allclose(face.landmarks[0], (1703, 202), atol=5)
    assert found.mask().shape == (1400, 2600)


def test_faces_too_small_for_the_reduced_jpeg_are_found(
    detector: Detector, portrait: Pixels, decodes: list[int]
) -> None:
    small = np.asarray(cv2.resize(portrait, (170, 170), interpolation=cv2.INTER_AREA), np.uint8)
    pixels = scenery(2600, 1400)
    pixels[700:870, 300:470] = small
    (found,) = examined(detector, picture(pixels, "JPEG"))
    assert decodes == [2, 1]
    assert len(found.report.faces) == 1


def test_what_was_seen_in_the_reduced_jpeg_is_not_looked_for_again(
    detector: Detector, portrait: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = detector._finder._network
    plain = network.glance
    areas: list[int] = []

    def measured(pixels: Pixels) -> Glance:
        areas.append(pixels.shape[0] * pixels.shape[1])
        return plain(pixels)

    monkeypatch.setattr(network, "glance", measured)
    pixels = scenery(2600, 1400)
    pixels[100:868, 1500:2268] = cv2.resize(portrait, (768, 768))
    (found,) = examined(detector, picture(pixels, "JPEG"))
    assert len(found.report.faces) == 1  # cut from the whole picture, which is not searched
    assert sum(areas) < 0.4 * 2600 * 1400
    areas.clear()
    (found,) = examined(detector, picture(scenery(2600, 1400), "JPEG"))
    assert found.report.faces == ()
    assert sum(areas) < 2.4 * 2600 * 1400  # 3 times, were the reduced one forgotten


@pytest.mark.parametrize("face", [0, 48])
def test_the_finest_look_at_the_reduced_jpeg_is_left_to_the_whole_one(
    detector: Detector, portrait: Pixels, monkeypatch: pytest.MonkeyPatch, face: int
) -> None:
    """A phone's photo with no face, and with one that a finer look has to be made for."""
    network = detector._finder._network
    plain = network.glance
    sizes: list[tuple[int, ...]] = []

    def measured(pixels: Pixels) -> Glance:
        sizes.append(pixels.shape[:2])
        return plain(pixels)

    monkeypatch.setattr(network, "glance", measured)
    pixels = np.full((2400, 3600, 3), (229, 221, 236), np.uint8)
    side = round(512 * face / 88)
    if face:
        pixels[900 : 900 + side, 700 : 700 + side] = cv2.resize(portrait, (side, side))
    (found,) = examined(detector, picture(pixels, "JPEG"))
    assert len(found.report.faces) == bool(face)
    assert sizes.count((427, 640)) == 1
    assert sizes.count((1067, 1600)) == 1
    assert (1200, 1800) not in sizes
    parts = [size for size in sizes if size[1] in range(900, 1100)]
    assert sum(height * width for height, width in parts) > 3200 * 2133


@pytest.mark.parametrize(("side", "shrink"), [(2559, 1), (2560, 2), (5120, 4), (12000, 8)])
def test_no_jpeg_is_reduced_under_1280_pixels(side: int, shrink: int) -> None:
    wide = Picture(b"", "", "JPEG", side, side // 2, ())
    assert wide.shrink_for(detecting.REDUCED_SIDE) == shrink
    high = replace(wide, width=side // 2, height=side)
    assert high.shrink_for(detecting.REDUCED_SIDE) == shrink
