"""A picture that viewers show in several ways is as suspicious as the worst of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pictures import encoded
from tests.unmask.images.animated import animation, apng
from unmask.detector.align import Pixels
from unmask.detector.detector import Detector
from unmask.detector.examination import Examination
from unmask.images import Picture, open_picture
from unmask.report import Verdict
from unmask.settings import Settings
from unmask.warning_codes import warn


@pytest.fixture(scope="module")
def detector(colour_model: Path) -> Detector:
    return Detector(Settings(model=colour_model, threads=2))


@pytest.fixture(scope="module")
def fake(portrait: Pixels) -> Image.Image:
    return Image.fromarray(portrait[:300, 90:390])


@pytest.fixture(scope="module")
def real(fake: Image.Image) -> Image.Image:
    """Red and blue exchanged: a face that the stand-in calls real."""
    return Image.fromarray(np.asarray(fake)[..., ::-1].copy())


def examined(detector: Detector, data: bytes) -> Examination:
    (examination,) = detector.examine([open_picture(data, Settings())])
    assert isinstance(examination, Examination)
    return examination


def test_a_hidden_picture_counts_as_the_shown_one_does(
    detector: Detector, fake: Image.Image, real: Image.Image
) -> None:
    for default, frame in ((real, fake), (fake, real), (Image.new("RGB", fake.size), fake)):
        examination = examined(detector, apng(default, frame))
        assert examination.report.verdict is Verdict.FAKE
        assert examination.report.warning_codes == (warn("hidden_picture"),)
        assert np.array_equal(examination.decoded(), np.asarray(fake))
        assert examination.annotated().shape == (300, 300, 3)
        assert examination.mask().any()
    assert examined(detector, apng(real, real)).report.verdict is Verdict.REAL


def test_a_frame_that_stays_counts(
    detector: Detector, fake: Image.Image, real: Image.Image
) -> None:
    data = animation("WEBP", real, fake, milliseconds=[30, 3000])
    examination = examined(detector, data)
    assert examination.report.verdict is Verdict.FAKE
    assert examination.report.warning_codes == (warn("some_frames", number=2),)


def test_what_shows_on_black_counts(detector: Detector, fake: Image.Image) -> None:
    """On white this is a white page: the face is in what the page adds to each channel."""
    levels = np.asarray(fake).astype(float)
    opacity = 255 - levels.min(axis=-1)
    image = np.dstack([np.full((300, 300, 3), 255), 255 - opacity]).astype(np.uint8)
    report = examined(detector, encoded(Image.fromarray(image), "PNG")).report
    assert report.verdict is not Verdict.NO_FACE
    assert report.warning_codes == (warn("transparent"),)


def test_the_times_of_all_appearances_are_added(
    detector: Detector, fake: Image.Image, real: Image.Image
) -> None:
    spent = examined(detector, apng(real, fake)).report.timings_ms
    parts = (spent.decode, spent.faces, spent.model, spent.draw)
    assert min(parts) > 0
    assert spent.total == pytest.approx(sum(parts))


def test_a_picture_of_several_appearances_is_examined_beside_others(
    detector: Detector, fake: Image.Image, real: Image.Image
) -> None:
    files = [encoded(real, "PNG"), apng(real, fake), encoded(fake, "PNG"), apng(real, real)]
    found = detector.examine([open_picture(data, Settings()) for data in files])
    verdicts = [item.report.verdict for item in found if isinstance(item, Examination)]
    assert verdicts == [Verdict.REAL, Verdict.FAKE, Verdict.FAKE, Verdict.REAL]
    assert [item.ways for item in found if isinstance(item, Examination)] == [1, 2, 1, 1]


def test_the_pixels_of_the_first_appearance_are_told_before_it_is_judged(
    detector: Detector, fake: Image.Image, real: Image.Image
) -> None:
    told: list[tuple[Picture, Pixels]] = []
    still, moving = encoded(fake, "PNG"), animation("WEBP", real, fake, milliseconds=[30, 3000])
    pictures = [open_picture(data, Settings()) for data in (still, moving)]
    first, second = detector.examine(pictures, lambda *about: told.append(about))
    assert isinstance(first, Examination) and isinstance(second, Examination)
    pixels = {id(picture): array for picture, array in told}
    assert len(told) == 2
    assert pixels[id(pictures[0])] is first.decoded()
    assert pixels[id(pictures[1])] is not second.decoded()  # the second frame is the worse one
