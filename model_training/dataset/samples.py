"""One training sample after the other: the picture, what is done to it, what is true of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from model_training.dataset.data import Row
from model_training.dataset.degrade import crop_window, degrade
from model_training.dataset.fakes import blends, parts
from model_training.dataset.fakes.regions import Rng, face_mask, part_mask, random_hull
from model_training.dataset.families import FAMILIES, HEADS, head_of
from model_training.dataset.landmarks import Landmarks, read_pixels
from model_training.dataset.occlusions import occlude
from unmask.detector.align import FRAME_SIZE, Floats, Pixels, align_face, frame_quad

#: Side of the heatmap's target, in pixels.
MASK_SIZE = FRAME_SIZE // 2
#: Sources drawn more or less often than the root of their size says, by source and label. Plain
#: studio backdrops and very tight crops teach a shortcut; retouch labels are uncertain; FFHQ
#: photographs must be as common among the real as faces in their likeness are among the fake.
#: Of today's generators the small sources say more than the large one; stock portraits and video
#: stills are the photographs that are taken for fakes most.
SOURCE_SHARE = {
    ("sfhq_t2i", 1): 0.5,
    ("taef2", 1): 0.7,
    ("gpt_sites", 1): 1.6,
    ("gpt_marks", 1): 1.6,
    ("chatgpt_names", 1): 1.6,
    ("gemini_marks", 1): 1.3,
    ("gemini_sites", 1): 1.6,
    ("nano_gallery", 1): 1.6,
    ("replit_imagen", 1): 1.6,
    ("ffhq_stylegan_k", 0): 0.9,
    ("dfdc", 0): 0.6,
    ("stock", 0): 2.5,
    ("video_still", 0): 2.0,
    ("gif_still", 0): 0.8,
    ("fossasia", 0): 1.5,
    ("writethedocs", 0): 1.5,
    ("studio_gan", 1): 0.5,
    ("omi_edit", 1): 0.5,
    ("retouch", 1): 0.7,
    ("tight_faces", 0): 0.35,
    ("ffhq_stylegan", 0): 2.2,
    ("ffpp", 0): 1.3,
    ("ffpp", 1): 1.3,
}
#: Share of each family in the fakes that come as they were; of those that have pictures.
FAMILY_SHARE = {"gan": 0.30, "modern": 0.38, "swap": 0.24, "retouch": 0.08, "any": 0.1}
#: Share of pictures with something in front of the face.
OCCLUDED = 0.07
#: Share of pictures that come almost as they were, and the strength of their degradations.
LIGHT_SHARE, LIGHTLY = 0.45, 0.2
#: Share of the self-made fakes that are partly passed through an autoencoder.
TWIN_SHARE = 0.2
SWAP, RETOUCH = HEADS.index("swap"), HEADS.index("retouch")
#: GAN faces a forger would have at hand: those in the frame of FFHQ.
DONOR_KINDS = {"stylegan", "stylegan2", "attribute-edit"}


@dataclass(frozen=True)
class Mix:
    """Shares of what a batch is made of; the rest are fake pictures as they came."""

    real: float = 0.48
    self_made: float = 0.14


@dataclass(frozen=True)
class Sample:
    """``crop`` (224, 224, 3) RGB uint8; ``mask`` (112, 112) uint8, 255 where tampered with;
    ``mask_weight`` says how far the mask is to be trusted; ``head`` is the index into ``HEADS`` of
    the fake's family, 0 for a photograph and for a fake of none."""

    crop: Pixels
    label: float
    mask: Pixels
    mask_weight: float
    head: int = 0


@dataclass(frozen=True)
class Scene:
    """A picture in the making: pixels (h, w, 3), landmarks (5, 2), mask (h, w) in [0, 1], and the
    group of the photograph that it is or was made of."""

    pixels: Pixels
    landmarks: Floats
    mask: Floats
    label: float
    mask_weight: float = 1.0
    group: str = ""
    head: int = 0


class Sampler:
    """Draws training samples, balanced over families (by FAMILY_SHARE), sources (by the root of
    their size) and, within a source, over groups, so that a clip with many frames weighs no more
    than another."""

    def __init__(
        self,
        rows: Sequence[Row],
        landmarks: Landmarks,
        mix: Mix | None = None,
        frame: float = 1.0,
    ) -> None:
        usable = [row for row in rows if landmarks.get(row.name) is not None]
        self._landmarks = landmarks
        self._mix, self._frame = mix or Mix(), frame
        self._real = _Pool([row for row in usable if row.label == 0])
        self._fakes = _by_family(row for row in usable if row.label == 1)
        names = {row.name: row for row in usable}
        twins = [row for row in usable if row.twin in names]
        self._twins, self._photographs = _Pool(twins), {row.name: names[row.twin] for row in twins}
        self._donors = _Pool([row for row in usable if row.kind in DONOR_KINDS])

    def draw(self, rng: Rng) -> Sample:
        """One sample, degraded and aligned with jitter."""
        scene = self._scene(rng)
        if rng.random() < OCCLUDED:
            pixels, cover = occlude(rng, scene.pixels, scene.landmarks)
            scene = replace(scene, pixels=pixels, mask=scene.mask * (1 - cover))
        return finish(rng, scene, frame=self._frame)

    def _scene(self, rng: Rng) -> Scene:
        share = rng.random()
        if share < self._mix.real:
            return self.scene_of(self._real.draw(rng))
        if share < self._mix.real + self._mix.self_made:
            return self.self_made(rng)
        pools, bounds = self._fakes
        pool = pools[min(int(np.searchsorted(bounds, rng.random())), len(pools) - 1)]
        return self.scene_of(pool.draw(rng))

    def scene_of(self, row: Row) -> Scene:
        """A picture as it came, with its mask: empty for a photograph, the true one where there
        is one, the parts for a hand retouch, else the face."""
        pixels = np.ascontiguousarray(read_pixels(row.path)[:, :, ::-1])
        landmarks = self._landmarks[row.name]
        if landmarks is None:
            raise ValueError(f"no face was found in {row.name}")
        shape = pixels.shape[:2]
        if row.label == 0:
            return Scene(pixels, landmarks, np.zeros(shape, np.float32), 0.0, group=row.group)
        head = head_of(row.label, row.kind)
        if row.mask is not None:
            mask = (read_pixels(row.mask)[:, :, 0] / np.float32(255)).astype(np.float32)
            return Scene(pixels, landmarks, mask, 1.0, group=row.group, head=head)
        if row.parts:
            chosen = tuple(i for i, digit in enumerate(row.parts) if digit == "1")
            # an ellipse over an eye is not what was painted: trust it less
            parts_mask = part_mask(landmarks, shape, chosen)
            return Scene(pixels, landmarks, parts_mask, 1.0, 0.3, row.group, head)
        mask = face_mask(landmarks, shape)
        return Scene(pixels, landmarks, mask, 1.0, group=row.group, head=head)

    def self_made(self, rng: Rng) -> Scene:
        """A fake made from a photograph, with its exact mask."""
        if self._twins.rows and rng.random() < TWIN_SHARE:
            return self._partial(rng)
        base = self.scene_of(self._real.draw(rng))
        head = SWAP
        pixels, landmarks = base.pixels, base.landmarks
        choice = rng.random()
        if choice < 0.36:
            fake, mask = blends.self_blend(rng, pixels, landmarks)
        elif choice < 0.58:
            donor = self._donor(rng, self._real)
            fake, mask = blends.swap(rng, pixels, landmarks, donor.pixels, donor.landmarks)
        elif choice < 0.72 and self._donors.rows:
            donor = self._donor(rng, self._donors)
            fake, mask = blends.swap(rng, pixels, landmarks, donor.pixels, donor.landmarks)
        elif choice < 0.88:
            donor = self._donor(rng, self._real)
            fake, mask = parts.replace_parts(rng, pixels, landmarks, donor.pixels, donor.landmarks)
            head = RETOUCH
        else:
            step = (parts.move_patch, parts.inpaint, parts.pull)[int(rng.integers(3))]
            fake, mask = step(rng, pixels, landmarks)
            head = RETOUCH
        return Scene(fake, landmarks, mask, 1.0, group=base.group, head=head)

    def _partial(self, rng: Rng) -> Scene:
        """A photograph of which one region alone was passed through an autoencoder."""
        row = self._twins.draw(rng)
        base = self.scene_of(self._photographs[row.name])
        passed = self.scene_of(row).pixels
        if passed.shape != base.pixels.shape:  # its twin in name only
            return base
        shape, choice = passed.shape[:2], rng.random()
        if choice < 0.6:
            mask = random_hull(rng, base.landmarks, shape)
        else:
            count = int(rng.integers(1, 4))
            chosen = tuple(int(part) for part in rng.choice(4, count, replace=False))
            mask = part_mask(base.landmarks, shape, chosen, float(rng.uniform(0.9, 1.5)))
        fake, mask = blends.blend(passed, base.pixels, mask)
        return Scene(fake, base.landmarks, mask, 1.0, group=base.group, head=SWAP)

    def _donor(self, rng: Rng, pool: _Pool) -> Scene:
        scene = self.scene_of(pool.draw(rng))
        return mirrored(scene) if rng.random() < 0.5 else scene


def _by_family(rows: Iterable[Row]) -> tuple[list[_Pool], Floats]:
    """A pool for each family that has pictures, and the bounds of their shares."""
    parts: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        parts[FAMILIES.get(row.kind, "any")].append(row)
    shares = np.cumsum([FAMILY_SHARE[family] for family in parts], dtype=np.float32)
    return [_Pool(part) for part in parts.values()], shares / shares[-1:]


class _Pool:
    """Rows drawn by source, then by group, then by picture."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows

    @cached_property
    def _tree(self) -> tuple[list[list[list[Row]]], Floats]:
        tree: dict[tuple[str, int], dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
        for row in self.rows:
            tree[row.source, row.label][row.group].append(row)
        shares = [
            SOURCE_SHARE.get(key, 1.0) * np.sqrt(sum(map(len, groups.values())))
            for key, groups in tree.items()
        ]
        nested = [list(groups.values()) for groups in tree.values()]
        return nested, np.cumsum(shares, dtype=np.float32) / np.sum(shares)

    def draw(self, rng: Rng) -> Row:
        nested, bounds = self._tree
        groups = nested[min(int(np.searchsorted(bounds, rng.random())), len(nested) - 1)]
        group = groups[int(rng.integers(len(groups)))]
        return group[int(rng.integers(len(group)))]


def mirrored(scene: Scene) -> Scene:
    """Left and right exchanged, in the landmarks' order too."""
    width = scene.pixels.shape[1]
    landmarks = scene.landmarks[[1, 0, 2, 4, 3]].copy()
    landmarks[:, 0] = width - landmarks[:, 0]
    pixels = np.ascontiguousarray(scene.pixels[:, ::-1])
    mask = np.ascontiguousarray(scene.mask[:, ::-1])
    return replace(scene, pixels=pixels, landmarks=landmarks, mask=mask)


def finish(rng: Rng, scene: Scene, jitter: float = 1.0, frame: float = 1.0) -> Sample:
    """Degrade, crop and align a scene; ``jitter`` in [0, 1] scales all of it, ``frame`` the side
    of what is cut out."""
    if rng.random() < 0.5 * jitter:
        scene = mirrored(scene)
    strength = jitter * (LIGHTLY if rng.random() < LIGHT_SHARE else 1.0)
    pixels = degrade(rng, scene.pixels, strength)
    before, after = scene.pixels.shape[:2], pixels.shape[:2]
    factor = np.array([after[1] / before[1], after[0] / before[0]], np.float32)
    landmarks = scene.landmarks * factor
    if rng.random() < 0.22 * jitter:
        pixels, landmarks_window = _cropped(rng, pixels, landmarks)
    else:
        landmarks_window = np.zeros(2, np.float32)
    quad = jittered(rng, scaled(frame_quad(landmarks), frame), jitter)
    crop = align_face(pixels, quad - landmarks_window)
    mask = align_mask(scene.mask, quad / factor)
    return Sample(crop, scene.label, mask, scene.mask_weight, scene.head)


def align_mask(mask: Floats, quad: Floats) -> Pixels:
    """A picture's mask (h, w) in [0, 1] in the frame ``quad``: (112, 112), uint8, 0 to 255."""
    grey = np.round(mask * 255).astype(np.uint8)
    stacked = np.repeat(grey[:, :, None], 3, axis=2)
    return np.ascontiguousarray(align_face(stacked, quad, MASK_SIZE, (0, 0, 0))[:, :, 0])


def scaled(quad: Floats, factor: float) -> Floats:
    """A frame (4, 2) with its side times ``factor``, about its middle."""
    centre = quad.mean(axis=0)
    return np.asarray(centre + (quad - centre) * factor, np.float32)


def jittered(rng: Rng, quad: Floats, amount: float = 1.0) -> Floats:
    """A frame (4, 2) turned, scaled and shifted as far as landmarks err."""
    centre = quad.mean(axis=0)
    side = float(np.hypot(*(quad[1] - quad[0])))
    turn = np.deg2rad(rng.normal(0, 4.0 * amount))
    scale = np.exp(rng.normal(0, 0.06 * amount))
    shift = rng.normal(0, 0.02 * amount, 2) * side
    linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * scale
    return np.asarray((quad - centre) @ linear.T + centre + shift, np.float32)


def _cropped(rng: Rng, pixels: Pixels, landmarks: Floats) -> tuple[Pixels, Floats]:
    x0, y0, x1, y1 = crop_window(rng, pixels.shape[:2], landmarks)
    return np.ascontiguousarray(pixels[y0:y1, x0:x1]), np.array([x0, y0], np.float32)
