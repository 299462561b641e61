"""One sample after the other: crop, label and mask belong together, and no source dominates."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from model_training.dataset import samples
from model_training.dataset.data import Row
from model_training.dataset.fakes.regions import face_mask
from model_training.dataset.families import HEADS, head_of
from model_training.dataset.samples import (
    MASK_SIZE,
    OCCLUDED,
    RETOUCH,
    SWAP,
    Sample,
    Sampler,
    Scene,
    align_mask,
    finish,
    jittered,
    mirrored,
)
from tests.model_training.faces import head, known_landmarks, row, write_dataset, write_picture
from unmask.detector.align import FRAME_SIZE, align_face, frame_quad, quad_side
from unmask.detector.faces import FaceFinder

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, portrait: Pixels) -> Path:
    return write_dataset(tmp_path_factory.mktemp("faces"), portrait)


@pytest.fixture(scope="module")
def sampler(folder: Path, portrait: Pixels) -> Sampler:
    return Sampler(*known_landmarks(folder, portrait))


@pytest.fixture
def scene(portrait: Pixels) -> Scene:
    pixels, landmarks = head(portrait)
    return Scene(pixels, landmarks, face_mask(landmarks, pixels.shape[:2]), 1.0)


def check(sample: Sample) -> None:
    assert (sample.crop.shape, sample.crop.dtype) == ((FRAME_SIZE, FRAME_SIZE, 3), np.uint8)
    assert (sample.mask.shape, sample.mask.dtype) == ((MASK_SIZE, MASK_SIZE), np.uint8)
    assert sample.label in (0.0, 1.0)
    assert 0 < sample.mask_weight <= 1


# ---- mirroring and alignment -------------------------------------------------------------------


def test_mirrored_landmarks_lie_on_the_mirrored_face(scene: Scene) -> None:
    """The detector that serves finds them there, each under its own name."""
    other = mirrored(scene)
    (face,) = FaceFinder(threads=2).find(other.pixels)
    np.testing.assert_allclose(other.landmarks, face.landmarks, atol=5)
    assert other.landmarks[0, 0] < other.landmarks[1, 0]
    assert other.landmarks[3, 0] < other.landmarks[4, 0]


def test_mirroring_twice_changes_nothing(scene: Scene) -> None:
    one, two = mirrored(scene), mirrored(mirrored(scene))
    np.testing.assert_array_equal(two.pixels, scene.pixels)
    np.testing.assert_array_equal(two.mask, scene.mask)
    np.testing.assert_allclose(two.landmarks, scene.landmarks, atol=1e-4)
    assert (one.label, one.mask_weight) == (scene.label, scene.mask_weight)
    assert (one.pixels != scene.pixels).any()


def test_a_mirrored_scene_gives_the_mirrored_sample(scene: Scene) -> None:
    rng = np.random.default_rng
    plain, turned = finish(rng(0), scene, 0.0), finish(rng(0), mirrored(scene), 0.0)
    difference = np.abs(plain.crop.astype(int) - turned.crop[:, ::-1])
    assert difference.mean() < 0.5
    shifted = np.abs(plain.crop.astype(int) - np.roll(turned.crop[:, ::-1], 1, axis=1))
    assert shifted.mean() > 2 * difference.mean()
    masks = np.abs(plain.mask.astype(int) - turned.mask[:, ::-1])
    assert masks.mean() < 1


def test_without_jitter_a_sample_is_what_serving_cuts(scene: Scene) -> None:
    quad = frame_quad(scene.landmarks)
    sample = finish(np.random.default_rng(0), scene, 0.0)
    served = align_face(scene.pixels, quad)
    assert np.abs(sample.crop.astype(int) - served).max() <= 1  # a rounding here and there
    assert np.mean(sample.crop != served) < 1e-3
    assert np.abs(sample.mask.astype(int) - align_mask(scene.mask, quad)).max() <= 2
    np.testing.assert_allclose(jittered(np.random.default_rng(0), quad, 0.0), quad, atol=1e-3)


def test_the_mask_follows_the_picture_through_everything(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A white ellipse on the inner face, and the same as a mask: resized (not evenly), cropped,
    mirrored, turned and shifted, both must end up in the same place."""
    mask = np.zeros((256, 256), np.float32)
    centre = scene.landmarks.mean(axis=0)
    cv2.ellipse(mask, (round(centre[0] + 8), round(centre[1])), (16, 24), 20, 0, 360, 1.0, -1)
    white = np.repeat(np.round(mask * 255).astype(np.uint8)[..., None], 3, axis=2)

    def stretched(rng: np.random.Generator, pixels: Pixels, strength: float) -> Pixels:
        size = tuple(int(side) for side in rng.integers(180, 500, 2))
        return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)

    monkeypatch.setattr(samples, "degrade", stretched)
    marked = replace(scene, pixels=white, mask=mask)
    places = []
    for seed in range(40):
        sample = finish(np.random.default_rng(seed), marked)
        # what a crop cut off is grey: only clear white is the ellipse
        shown = cv2.resize(
            sample.crop[..., 0], (MASK_SIZE, MASK_SIZE), interpolation=cv2.INTER_AREA
        )
        seen, said = shown > 190, sample.mask > 190
        shared = np.count_nonzero(seen & said) / np.count_nonzero(seen | said)
        assert shared > 0.8
        places.append(np.argwhere(said).mean(axis=0))
    assert np.std(places, axis=0).min() > 1  # and it did move about


def test_jitter_turns_scales_and_shifts_a_little(scene: Scene) -> None:
    quad = frame_quad(scene.landmarks)
    rng = np.random.default_rng(0)
    quads = [jittered(rng, quad) for _ in range(300)]
    sides = np.array([quad_side(other) for other in quads]) / quad_side(quad)
    turns = np.rad2deg([np.arctan2(*(other[1] - other[0])[::-1]) for other in quads])
    turns -= np.rad2deg(np.arctan2(*(quad[1] - quad[0])[::-1]))
    shifts = np.array([other.mean(axis=0) - quad.mean(axis=0) for other in quads])
    assert np.std(np.log(sides)) == pytest.approx(0.06, rel=0.2)
    assert np.std(turns) == pytest.approx(4, rel=0.2)
    assert np.std(shifts / quad_side(quad)) == pytest.approx(0.02, rel=0.2)
    for other in quads:
        edges = np.hypot(*(np.roll(other, -1, axis=0) - other).T)
        np.testing.assert_allclose(edges, edges[0], rtol=1e-3)


# ---- what is true of a picture -----------------------------------------------------------------


def test_a_photograph_has_an_empty_mask(sampler: Sampler, folder: Path, portrait: Pixels) -> None:
    rows, _ = known_landmarks(folder, portrait)
    real = next(row for row in rows if row.label == 0)
    for jitter in (0.0, 1.0):
        sample = finish(np.random.default_rng(3), sampler.scene_of(real), jitter)
        check(sample)
        assert sample.label == 0
        assert not sample.mask.any()
        assert sample.mask_weight == 1


def test_a_whole_fake_is_marked_from_brow_to_chin(scene: Scene, tmp_path: Path) -> None:
    write_picture(tmp_path / "fake.png", scene.pixels)
    fake = replace(row("fake.png", 1), path=tmp_path / "fake.png")
    found = Sampler([fake], {"fake.png": scene.landmarks}).scene_of(fake)
    np.testing.assert_array_equal(found.pixels, scene.pixels)  # RGB
    sample = finish(np.random.default_rng(0), found, 0.0)
    assert (sample.label, sample.mask_weight) == (1, 1)
    quad = frame_quad(scene.landmarks)
    for x, y in (scene.landmarks - quad.min(axis=0)) / quad_side(quad) * MASK_SIZE:
        assert sample.mask[int(y), int(x)] == 255
    assert 0.15 < (sample.mask > 127).mean() < 0.45
    assert not sample.mask[[0, -1]].any()


def test_a_true_mask_is_taken_as_it_is(sampler: Sampler, folder: Path, portrait: Pixels) -> None:
    rows, _ = known_landmarks(folder, portrait)
    half = next(row for row in rows if row.name == "train/fake1.png")
    scene = sampler.scene_of(half)
    assert (scene.mask[:128] == 0).all()
    assert (scene.mask[128:] == 1).all()
    assert (scene.label, scene.mask_weight) == (1, 1)


@pytest.mark.parametrize(("parts", "marks"), [("1000", [0]), ("0010", [2]), ("0101", [1, 3, 4])])
def test_a_hand_retouch_marks_its_parts_with_less_trust(
    scene: Scene, tmp_path: Path, parts: str, marks: list[int]
) -> None:
    write_picture(tmp_path / "fake.png", scene.pixels)
    fake = replace(row("fake.png", 1), path=tmp_path / "fake.png", parts=parts)
    found = Sampler([fake], {"fake.png": scene.landmarks}).scene_of(fake)
    covered = [i for i, (x, y) in enumerate(scene.landmarks) if found.mask[int(y), int(x)] > 0]
    assert covered == marks
    assert found.mask_weight < 1


def test_self_made_fakes_are_fake_and_marked(sampler: Sampler) -> None:
    """All kinds of them, made of photographs and of the GAN faces among the fakes."""
    areas, donors = [], []
    for seed in range(40):
        scene = sampler.self_made(np.random.default_rng(seed))
        assert (scene.label, scene.mask_weight) == (1, 1)
        assert scene.pixels.shape == (256, 256, 3)
        assert scene.mask.shape == (256, 256)
        sample = finish(np.random.default_rng(seed), scene)
        check(sample)
        areas.append((sample.mask > 127).mean())
        donors.append(scene.landmarks)
    assert np.mean(np.array(areas) > 0.005) > 0.8
    assert np.std(areas) > 0.02


def test_self_made_fakes_have_the_head_of_what_they_are_like(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A face blended in is a swap; a part exchanged, moved or pulled is a retouch."""
    made: list[str] = []
    for module, name in [
        *((samples.blends, name) for name in ("self_blend", "swap")),
        *((samples.parts, name) for name in ("replace_parts", "move_patch", "inpaint", "pull")),
    ]:
        plain = getattr(module, name)

        def noted(*given: Any, name: str = name, plain: Any = plain) -> Any:
            made.append(name)
            return plain(*given)

        monkeypatch.setattr(module, name, noted)
    found = {}
    for seed in range(150):
        made.clear()
        scene = sampler.self_made(np.random.default_rng(seed))
        found.setdefault(made[0], set()).add(scene.head)
    swaps, retouches = ("self_blend", "swap"), ("replace_parts", "move_patch", "inpaint", "pull")
    assert found == {name: {SWAP} for name in swaps} | {name: {RETOUCH} for name in retouches}
    assert (HEADS[SWAP], HEADS[RETOUCH]) == ("swap", "retouch")
    scene = sampler.self_made(np.random.default_rng(0))
    assert finish(np.random.default_rng(0), scene).head == scene.head > 0


@pytest.mark.parametrize(("kind", "label"), [("stylegan", 1), ("retouch", 1), ("odd", 1), ("x", 0)])
def test_a_picture_as_it_came_has_its_kinds_head(
    scene: Scene, tmp_path: Path, kind: str, label: int
) -> None:
    write_picture(tmp_path / "one.png", scene.pixels)
    write_picture(tmp_path / "mask.png", np.full_like(scene.pixels, 255))
    one = replace(row("one.png", label), path=tmp_path / "one.png", kind=kind)
    for given in (one, replace(one, mask=tmp_path / "mask.png"), replace(one, parts="1000")):
        found = Sampler([given], {"one.png": scene.landmarks}).scene_of(given)
        assert found.head == head_of(label, kind)
        assert finish(np.random.default_rng(1), found).head == found.head


# ---- partial twins -------------------------------------------------------------------------------


@pytest.fixture
def twins(scene: Scene, tmp_path: Path) -> Sampler:
    """A photograph, and the same picture as it came out of an autoencoder: here, its negative."""
    write_picture(tmp_path / "photo.png", scene.pixels)
    write_picture(tmp_path / "passed.png", 255 - scene.pixels)
    photo = replace(row("photos/1", group="someone"), path=tmp_path / "photo.png")
    passed = replace(row("made/1", 1, group="someone"), path=tmp_path / "passed.png")
    passed = replace(passed, kind="autoencoded", twin="photos/1")
    return Sampler([photo, passed], dict.fromkeys(("photos/1", "made/1"), scene.landmarks))


def test_a_partial_twin_is_marked_where_it_was_changed(twins: Sampler, scene: Scene) -> None:
    areas = []
    for seed in range(40):
        found = twins._partial(np.random.default_rng(seed))
        assert (found.label, found.head, found.group, found.mask_weight) == (1, SWAP, "someone", 1)
        changed = np.abs(found.pixels.astype(int) - scene.pixels).max(axis=2)
        assert not changed[found.mask == 0].any()
        # as far as the mask says, it is the other picture
        wanted = scene.pixels + (255.0 - 2.0 * scene.pixels) * found.mask[..., None]
        assert np.abs(found.pixels - wanted).max() <= 0.51
        areas.append((found.mask > 0.5).mean())
    assert min(areas) > 0.003
    assert max(areas) < 0.5
    assert np.std(areas) > 0.01


def test_twins_are_a_share_of_the_self_made_fakes(
    twins: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Photograph(Exception):  # noqa: N818 - no error
        """One was asked for, to make a fake of another sort."""

    def asked(row: Row) -> Scene:
        raise Photograph

    monkeypatch.setattr(twins, "_partial", lambda rng: "partial")
    monkeypatch.setattr(twins, "scene_of", asked)
    rng, partial = np.random.default_rng(0), 0
    for _ in range(3000):
        with suppress(Photograph):
            partial += twins.self_made(rng) == "partial"
    assert partial / 3000 == pytest.approx(samples.TWIN_SHARE, abs=0.03)


def test_a_twin_whose_photograph_is_not_there_is_a_fake_like_others(
    scene: Scene, portrait: Pixels, folder: Path
) -> None:
    rows, landmarks = known_landmarks(folder, portrait)
    lonely = [replace(one, twin="gone/1.jpg" if one.label else "") for one in rows]
    sampler = Sampler(lonely, landmarks)
    assert not sampler._twins.rows
    assert all(sampler.self_made(np.random.default_rng(seed)).label == 1 for seed in range(6))
    faceless = {**landmarks, rows[0].name: None}
    named = [replace(one, twin=rows[0].name if one.label else "") for one in rows]
    assert not Sampler(named, faceless)._twins.rows


def test_a_twin_of_another_size_is_left_alone(twins: Sampler, scene: Scene, tmp_path: Path) -> None:
    write_picture(tmp_path / "passed.png", scene.pixels[:200])
    found = twins._partial(np.random.default_rng(0))
    assert (found.label, found.head) == (0, 0)
    np.testing.assert_array_equal(found.pixels, scene.pixels)


# ---- things in front of a face -------------------------------------------------------------------


def test_what_is_covered_leaves_the_mask(
    sampler: Sampler, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    cover = np.zeros(scene.mask.shape, np.float32)
    cover[:, :128] = 1
    white = np.full_like(scene.pixels, 255)
    monkeypatch.setattr(samples, "occlude", lambda *_: (white, cover))
    monkeypatch.setattr(samples, "finish", lambda rng, scene, frame: scene)
    monkeypatch.setattr(sampler, "_scene", lambda rng: scene)
    rng = np.random.default_rng(0)
    drawn: list[Any] = [sampler.draw(rng) for _ in range(3000)]
    hidden = [found for found in drawn if (found.pixels == 255).all()]
    assert len(hidden) / len(drawn) == pytest.approx(OCCLUDED, abs=0.02)
    assert (hidden[0].mask[:, :128] == 0).all()
    np.testing.assert_array_equal(hidden[0].mask[:, 128:], scene.mask[:, 128:])
    assert hidden[0].label == scene.label


def test_self_made_fakes_need_no_gan_faces(folder: Path, portrait: Pixels) -> None:
    rows, landmarks = known_landmarks(folder, portrait)
    plain = Sampler([row for row in rows if row.label == 0], landmarks)
    for seed in range(30):
        assert plain.self_made(np.random.default_rng(seed)).label == 1


def test_a_sample_depends_on_the_seed_alone(sampler: Sampler) -> None:
    for seed in range(8):
        cv2.setRNGSeed(seed)
        one = sampler.draw(np.random.default_rng(seed))
        cv2.setRNGSeed(50)
        other = sampler.draw(np.random.default_rng(seed))
        check(one)
        np.testing.assert_array_equal(one.crop, other.crop)
        np.testing.assert_array_equal(one.mask, other.mask)
        assert one.label == other.label


def test_pictures_without_a_face_are_never_drawn(folder: Path, portrait: Pixels) -> None:
    rows, landmarks = known_landmarks(folder, portrait)
    faceless = {**landmarks, rows[0].name: None, rows[5].name: None}
    sampler = Sampler(rows, faceless)
    fakes, _ = sampler._fakes
    pools = (sampler._real, *fakes, sampler._donors)
    names = {row.name for pool in pools for row in pool.rows}
    assert len(names) == len(rows) - 2
    assert rows[0].name not in names
    with pytest.raises(ValueError, match="no face"):
        sampler.scene_of(rows[0])
