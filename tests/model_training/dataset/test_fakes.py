"""Self-made fakes: each mask says exactly where the picture was changed."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from model_training.dataset.fakes import blends, parts
from model_training.dataset.fakes.regions import (
    CANONICAL,
    HULL,
    PARTS,
    face_mask,
    part_mask,
    place,
    pose,
    random_hull,
    scale_of,
    soften,
)
from tests.model_training.faces import head

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Rng = np.random.Generator
Fake = Callable[[Rng, "People"], tuple[Pixels, Floats]]

SEEDS = range(16)


class People:
    """A photograph, and the donor of another: the same head, mirrored and in other colours."""

    def __init__(self, portrait: Pixels) -> None:
        self.base, self.landmarks = head(portrait, 1)
        other, marks = head(portrait, 2)
        self.donor = np.ascontiguousarray(np.roll(other, 1, axis=2)[:, ::-1])
        self.donor_landmarks = marks[[1, 0, 2, 4, 3]] * [-1, 1] + [256, 0]
        self.donor_landmarks = self.donor_landmarks.astype(np.float32)
        for pixels in (self.base, self.donor):
            pixels.flags.writeable = False

    @property
    def all(self) -> tuple[Pixels, Floats, Pixels, Floats]:
        return self.base, self.landmarks, self.donor, self.donor_landmarks


@pytest.fixture(scope="module")
def people(portrait: Pixels) -> People:
    return People(portrait)


FAKES: dict[str, Fake] = {
    "self_blend": lambda rng, people: blends.self_blend(rng, people.base, people.landmarks),
    "swap": lambda rng, people: blends.swap(rng, *people.all),
    "replace_parts": lambda rng, people: parts.replace_parts(rng, *people.all),
    "move_patch": lambda rng, people: parts.move_patch(rng, people.base, people.landmarks),
    "inpaint": lambda rng, people: parts.inpaint(rng, people.base, people.landmarks),
    "pull": lambda rng, people: parts.pull(rng, people.base, people.landmarks),
}
every_fake = pytest.mark.parametrize("make", FAKES.values(), ids=FAKES)


def change(fake: Pixels, people: People) -> npt.NDArray[np.int64]:
    """How far each pixel's farthest channel moved."""
    return np.abs(fake.astype(int) - people.base).max(axis=2)


@every_fake
def test_a_fake_and_its_mask_have_the_form(make: Fake, people: People) -> None:
    before = [array.copy() for array in people.all]
    for seed in SEEDS:
        fake, mask = make(np.random.default_rng(seed), people)
        assert (fake.shape, fake.dtype) == ((256, 256, 3), np.uint8)
        assert (mask.shape, mask.dtype) == ((256, 256), np.float32)
        assert mask.min() >= 0
        assert mask.max() <= 1 + 1e-6
        assert fake is not people.base
    for array, old in zip(people.all, before, strict=True):
        np.testing.assert_array_equal(array, old)


@every_fake
def test_a_fake_depends_on_the_seed_alone(make: Fake, people: People) -> None:
    found = set()
    for seed in SEEDS:
        cv2.setRNGSeed(seed)
        fake, mask = make(np.random.default_rng(seed), people)
        cv2.setRNGSeed(99)
        again, mask_again = make(np.random.default_rng(seed), people)
        np.testing.assert_array_equal(fake, again)
        np.testing.assert_array_equal(mask, mask_again)
        found.add(fake.tobytes())
    assert len(found) == len(SEEDS)


@every_fake
def test_the_face_is_changed_where_the_mask_says(make: Fake, people: People) -> None:
    """Most seeds mark a part of the face, and change it; a patch of skin may look like another."""
    marked, moved = [], []
    for seed in SEEDS:
        fake, mask = make(np.random.default_rng(seed), people)
        inside = mask > 0.5
        marked.append(inside.mean())
        moved.append(change(fake, people)[inside].mean() if inside.any() else 0)
    assert np.mean(np.array(marked) > 0.002) > 0.8
    assert max(marked) < 0.6
    assert np.mean(np.array(moved) > 1) > 0.8


@pytest.mark.parametrize("name", ["self_blend", "swap", "replace_parts", "move_patch", "inpaint"])
def test_no_pixel_changes_by_more_than_its_mask_allows(
    name: str, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mix by a weight moves a value by at most 255 times the weight, and half for rounding.
    A self-blend may alter the rest on purpose, which has a test of its own, and Poisson blending
    seeps out of its mask, which has one too."""
    monkeypatch.setattr(blends, "_altered", lambda rng, pixels: pixels)
    monkeypatch.setattr(blends, "_poisson", blends.blend)
    for seed in SEEDS:
        fake, mask = FAKES[name](np.random.default_rng(seed), people)
        assert (change(fake, people) <= 255 * mask + 0.5 + 1e-3).all()
        assert (change(fake, people)[mask == 0] == 0).all()


def test_a_self_blend_leaves_every_second_surrounding_as_it_was(people: People) -> None:
    """Either the face is the altered version of the photograph, or all around it is."""
    untouched = 0
    for seed in range(40):
        fake, mask = blends.self_blend(np.random.default_rng(seed), people.base, people.landmarks)
        untouched += not change(fake, people)[mask == 0].any()
    assert 12 <= untouched <= 28


def test_poisson_blending_spills_little_over_its_mask(people: People) -> None:
    """OpenCV solves for the whole rectangle about the mask, so that some colour seeps out: a few
    grey levels that fade within a tenth of the face. Beyond the rectangle nothing may change."""
    base, landmarks, *_ = people.all
    inner = blends.warp_donor(*people.all)
    for seed in SEEDS:
        mask = random_hull(np.random.default_rng(seed), landmarks, base.shape[:2])
        fake, shown = blends._poisson(inner, base, mask)
        assert set(np.unique(shown)) <= {0, 1}
        moved = change(fake, people)
        distance = cv2.distanceTransform((shown == 0).astype(np.uint8), cv2.DIST_L2, 5)
        assert moved[distance > 0].max() < 40
        assert moved[distance > 0].mean() < 0.1 * moved[shown > 0].mean()
        assert moved[distance > 0.1 * scale_of(pose(landmarks))].max() < 8
        x, y, width, height = cv2.boundingRect(shown.astype(np.uint8))
        moved[y - 2 : y + height + 2, x - 2 : x + width + 2] = 0
        assert not moved.any()


def test_poisson_blending_keeps_its_place(people: People) -> None:
    """A shift by one pixel would show wherever the picture has an edge."""
    for seed in SEEDS:
        mask = random_hull(np.random.default_rng(seed), people.landmarks, (256, 256))
        fake, _ = blends._poisson(people.base, people.base, mask)
        assert change(fake, people).max() <= 2


def test_poisson_blending_of_next_to_nothing_is_a_plain_mix(people: People) -> None:
    mask = np.zeros((256, 256), np.float32)
    mask[100:104, 100:104] = 1
    fake, shown = blends._poisson(people.donor, people.base, mask)
    np.testing.assert_array_equal(shown, mask)
    np.testing.assert_array_equal(fake[100:104, 100:104], people.donor[100:104, 100:104])


def test_pulling_moves_next_to_nothing_outside_its_mask(people: People) -> None:
    """A smooth warp has no border: its Gaussian never ends. Where the mask, as a byte, is 0 it
    moves the picture by under a tenth of a pixel, which an edge turns into some grey levels."""
    for seed in SEEDS:
        fake, mask = parts.pull(np.random.default_rng(seed), people.base, people.landmarks)
        outside = change(fake, people)[np.round(mask * 255) == 0]
        assert outside.max() <= 16
        assert outside.mean() < 0.3
        rows, columns = np.nonzero(mask > 0.99)
        centre = columns.mean() + 0.5, rows.mean() + 0.5
        assert np.hypot(*(people.landmarks - centre).T).min() < 6  # a part of the face


def test_a_swap_shows_the_donor_in_the_frame_of_the_base(people: People) -> None:
    moved = blends.warp_donor(*people.all)
    assert moved.shape == people.base.shape
    marks = place(CANONICAL, pose(people.landmarks))
    dots = people.donor.copy()
    dots[:] = 0
    for x, y in place(CANONICAL, pose(people.donor_landmarks)):
        cv2.circle(dots, (round(float(x)), round(float(y))), 4, (255, 255, 255), -1)
    dots = blends.warp_donor(people.base, people.landmarks, dots, people.donor_landmarks)
    for x, y in marks:
        assert dots[round(float(y)), round(float(x))].min() > 200


def test_colours_are_fitted_under_the_mask_alone(people: People) -> None:
    mask = face_mask(people.landmarks, (256, 256))
    tinted = np.clip(people.base * [0.6, 0.9, 1.2], 0, 255).astype(np.uint8)
    fitted = blends.match_colour(tinted, people.base, mask)
    inside = mask > 0.5
    before = np.abs(tinted[inside].mean(axis=0) - people.base[inside].mean(axis=0)).max()
    after = np.abs(fitted[inside].mean(axis=0) - people.base[inside].mean(axis=0)).max()
    assert after < 0.25 * before
    empty = np.zeros_like(mask)
    assert blends.match_colour(tinted, people.base, empty) is tinted


def test_blending_by_hand() -> None:
    inner, outer = np.full((1, 3, 3), 200, np.uint8), np.full((1, 3, 3), 100, np.uint8)
    mask = np.array([[0, 0.5, 1]], np.float32)
    for opacity, wanted in ((1.0, [100, 150, 200]), (0.5, [100, 125, 150])):
        mixed, shown = blends.blend(inner, outer, mask, opacity)
        assert mixed[0, :, 0].tolist() == wanted
        np.testing.assert_array_equal(shown, mask)  # however faint, all of it was changed


# ---- regions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("scale", "turn"), [(100, 0), (37.5, 20), (400, -170)])
def test_the_pose_is_found(scale: float, turn: float) -> None:
    angle = np.deg2rad(turn)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.hstack([linear, [[31], [-7]]]).astype(np.float32)
    found = pose(place(CANONICAL, matrix))
    np.testing.assert_allclose(found, matrix, atol=1e-3 * scale)
    assert scale_of(found) == pytest.approx(scale, rel=1e-3)


def test_the_face_covers_its_landmarks(people: People) -> None:
    mask = face_mask(people.landmarks, (256, 256))
    for x, y in people.landmarks:
        assert mask[int(y), int(x)] == 1
    assert 0.05 < mask.mean() < 0.4
    assert mask[0].max() == mask[:, 0].max() == 0
    assert (HULL > 0).all()
    assert (HULL < 1).all()


@pytest.mark.parametrize(("part", "marks"), [(0, [0]), (1, [1]), (2, [2]), (3, [3, 4])])
def test_each_part_covers_its_own_landmarks_only(
    people: People, part: int, marks: list[int]
) -> None:
    mask = part_mask(people.landmarks, (256, 256), (part,))
    covered = [index for index, (x, y) in enumerate(people.landmarks) if mask[int(y), int(x)] > 0]
    assert covered == marks
    assert part_mask(people.landmarks, (256, 256), (part,), grow=1.3).sum() > mask.sum()
    assert len(PARTS) == 4


def test_random_hulls_vary_about_the_face(people: People) -> None:
    face = face_mask(people.landmarks, (256, 256))
    shares = []
    for seed in range(30):
        hull = random_hull(np.random.default_rng(seed), people.landmarks, (256, 256))
        assert hull.min() >= 0
        assert hull.max() <= 1 + 1e-6
        shares.append(float((hull * face).sum() / hull.sum()))
    assert min(shares) > 0.6
    assert np.std(shares) > 0.01
    nose = np.array(
        [
            random_hull(np.random.default_rng(s), people.landmarks, (256, 256))[124, 126]
            for s in SEEDS
        ]
    )
    assert (nose > 0.5).mean() > 0.8


def test_softening_keeps_a_mask_a_mask() -> None:
    mask = np.zeros((100, 100), np.float32)
    mask[30:70, 30:70] = 1
    for seed in SEEDS:
        soft = soften(np.random.default_rng(seed), mask, 100)
        assert soft.dtype == np.float32
        assert 0 <= soft.min() <= soft.max() <= 1 + 1e-6
        assert soft[50, 50] > 0.9
        assert soft[5, 5] < 0.01
