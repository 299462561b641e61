"""What is drawn over a face lies on the face, and where it is said to lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from model_training.dataset import occlusions
from model_training.dataset.fakes.regions import face_mask
from model_training.dataset.occlusions import (
    face_cover,
    glasses,
    hand,
    occlude,
    sticker,
    text_bar,
)
from tests.model_training.faces import head

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Draw = Callable[[np.random.Generator, Pixels, Floats], tuple[Pixels, Floats]]

DRAWS: tuple[Draw, ...] = (text_bar, sticker, face_cover, glasses, hand)
each = pytest.mark.parametrize("draw", DRAWS, ids=lambda draw: draw.__name__)
#: An edge is softened by so many pixels at most.
SOFT = 3


@pytest.fixture
def face(portrait: Pixels) -> tuple[Pixels, Floats]:
    return head(portrait)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def grown(cover: Floats) -> npt.NDArray[np.bool_]:
    side = 2 * SOFT + 1
    return np.asarray(cv2.dilate(cover, np.ones((side, side), np.uint8)) > 0)


@each
def test_it_lies_over_the_face(draw: Draw, face: tuple[Pixels, Floats]) -> None:
    pixels, landmarks = face
    inside = face_mask(landmarks, pixels.shape[:2]) > 0
    hit = 0
    for seed in range(20):
        shown, cover = draw(rng(seed), pixels, landmarks)
        assert (shown.shape, shown.dtype) == (pixels.shape, np.uint8)
        assert (cover.shape, cover.dtype) == (pixels.shape[:2], np.float32)
        assert 0 <= cover.min() <= cover.max() <= 1
        hit += bool((cover[inside] > 0.5).mean() > 0.02)
        changed = np.abs(shown.astype(int) - pixels).max(axis=2)
        assert (changed[cover > 0.9] > 8).mean() > 0.5  # and it can be seen
    assert hit >= 18


@each
def test_nothing_changes_but_under_the_cover(draw: Draw, face: tuple[Pixels, Floats]) -> None:
    pixels, landmarks = face
    for seed in range(30):
        shown, cover = draw(rng(seed), pixels, landmarks)
        changed = np.abs(shown.astype(int) - pixels).max(axis=2) > 1
        assert not changed[~grown(cover)].any(), seed


def test_words_alone_are_covered_too(face: tuple[Pixels, Floats]) -> None:
    """Where there is no bar behind them, and where they are longer than it."""
    pixels, landmarks = face
    alone = 0
    for seed in range(40):
        shown, cover = text_bar(rng(seed), pixels, landmarks)
        rows = np.flatnonzero((cover > 0).any(axis=1))
        alone += bool((cover[rows] == 0).any() and (cover > 0).mean() < 0.05)
        hidden = np.abs(shown.astype(int) - pixels).max(axis=2) > 60
        assert (cover[hidden] > 0).all()
    assert alone > 3


@each
def test_one_seed_draws_one_thing(draw: Draw, face: tuple[Pixels, Floats]) -> None:
    pixels, landmarks = face
    before = pixels.copy()
    cv2.setRNGSeed(1)
    one = draw(rng(7), pixels, landmarks)
    cv2.setRNGSeed(2)
    again = draw(rng(7), pixels, landmarks)
    other = draw(rng(8), pixels, landmarks)
    for first, second in zip(one, again, strict=True):
        np.testing.assert_array_equal(first, second)
    assert (one[0] != other[0]).any()
    np.testing.assert_array_equal(pixels, before)  # what was given is left as it was


@each
@pytest.mark.parametrize("corner", [(0, 0), (255, 0), (0, 255), (255, 255), (-60, 120), (120, 320)])
def test_a_face_at_the_border_or_partly_beyond(
    draw: Draw, face: tuple[Pixels, Floats], corner: tuple[int, int]
) -> None:
    pixels, landmarks = face
    moved = landmarks - landmarks.mean(axis=0) + np.array(corner, np.float32)
    for seed in range(8):
        shown, cover = draw(rng(seed), pixels, moved)
        assert shown.shape == pixels.shape
        assert np.isfinite(cover).all()
        changed = np.abs(shown.astype(int) - pixels).max(axis=2) > 1
        assert not changed[~grown(cover)].any()


@each
@pytest.mark.parametrize("factor", [0.12, 4.0])
def test_faces_of_any_size(draw: Draw, face: tuple[Pixels, Floats], factor: float) -> None:
    """Down to twenty pixels, and larger than the picture, which some things then miss."""
    pixels, landmarks = face
    middle = landmarks.mean(axis=0)
    sized = (landmarks - middle) * np.float32(factor) + middle
    drawn = [draw(rng(seed), pixels, sized) for seed in range(5)]
    assert all(shown.shape == pixels.shape for shown, _ in drawn)
    assert sum(bool(cover.any()) for _, cover in drawn) >= (5 if factor < 1 else 2)


@each
def test_pictures_need_not_be_square(draw: Draw, portrait: Pixels) -> None:
    wide = np.ascontiguousarray(portrait[:200])
    landmarks = head(portrait)[1]
    shown, cover = draw(rng(3), wide, landmarks)
    assert shown.shape == (200, 512, 3)
    assert cover.shape == (200, 512)


def test_all_five_are_drawn_in_their_shares(
    face: tuple[Pixels, Floats], monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels, landmarks = face
    drawn: Counter[str] = Counter()
    for draw in DRAWS:
        name = draw.__name__

        def counted(*given: object, name: str = name) -> tuple[Pixels, Floats]:
            drawn[name] += 1
            return pixels, landmarks

        monkeypatch.setattr(occlusions, name, counted)
    for seed in range(2000):
        occlude(rng(seed), pixels, landmarks)
    shares = {name: count / 2000 for name, count in drawn.items()}
    wanted = {"text_bar": 0.3, "sticker": 0.2, "face_cover": 0.2, "glasses": 0.15, "hand": 0.15}
    assert shares == pytest.approx(wanted, abs=0.04)
