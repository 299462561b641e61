"""Makes partial fakes of a split's own photographs, with exact masks, and measures masks on them.

They come from the code that makes training's fakes, but from people and with chances that training
never drew: they say how well a mask fits, not how well other people's fakes are found.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from model_training.dataset.data import Row
from model_training.dataset.landmarks import Landmarks, landmarks_of
from model_training.dataset.samples import Sampler
from model_training.evaluation import tables
from model_training.evaluation.mask_scores import Examined, localisation, rivals_of
from model_training.evaluation.predict import Predictions, fingerprint
from model_training.evaluation.tables import Table

#: The name that these fakes have as a source.
SOURCE = "self-made"
#: Apart from any seed that training draws from.
SEED = 140_000
#: JPEG quality in which a forger saves.
QUALITY = 90
#: A mask of fewer pixels than this is no region.
LEAST = 64
#: How many are made at most of the split that is measured, and of validation to fix the rivals on.
MEASURED, TUNING = 300, 150

#: What the model says of pictures.
Predict = Callable[[list[Row]], Predictions]


def measure(
    validation: Sequence[Row], this: Examined, predict: Predict, cache: Path | None
) -> Table | None:
    """How well masks fit, and how well such fakes are told from the split's reals; None where no
    photograph has a face. ``cache`` is a folder to keep landmarks in."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        photographs = [*validation, *this.rows]
        file = f"landmarks-{fingerprint(photographs)}.csv"  # other pictures may bear these names
        known = landmarks_of(photographs, (cache or folder) / file)
        tuning = write_self_made(validation, known, folder, TUNING)
        rows = write_self_made(this.rows, known, folder, MEASURED)
        if not rows:
            return None
        found = predict(rows)
        judged = tables.judge(rows, found, found.largest, this.manifest)
        made = Examined(rows, found, judged, this.manifest, this.repeats)
        rivals = rivals_of(tuning, predict(tuning)) if tuning else {}
        table, _ = localisation(made, rivals)
    every = judged.joined(this.judged.where(this.judged.label == 0))
    return {
        "localisation": table,
        "verdicts": tables.verdict_shares(judged),
        "against_reals": tables.separation(every, this.repeats),
    }


def write_self_made(
    rows: Sequence[Row], landmarks: Landmarks, folder: Path, most: int
) -> list[Row]:
    """Make partial fakes of the real pictures among ``rows``, as many as there are but ``most`` at
    most; returns their rows, each in the group of the picture that it was made of.

    Pictures are drawn as training draws them, so that one may serve several times. GAN faces among
    ``rows`` serve as donors too. Pictures and masks are written into ``folder``.
    The same rows give the same fakes, and a name tells the pixels that it stands for. Empty where
    no photograph has a face.
    """
    usable = sum(row.label == 0 and landmarks.get(row.name) is not None for row in rows)
    count = min(usable, most)
    sampler = Sampler(rows, landmarks)
    made: list[Row] = []
    number = 0
    while len(made) < count and number < 2 * count:
        scene = sampler.self_made(np.random.default_rng([SEED, number]))
        number += 1
        mask = np.where(scene.mask >= 0.5, 255, 0).astype(np.uint8)
        if np.count_nonzero(mask) < LEAST:
            continue
        name = f"{SOURCE}-{number}-{zlib.crc32(scene.pixels.tobytes()):08x}"
        path, mask_path = folder / f"{name}.jpg", folder / f"{name}.png"
        cv2.imwrite(str(path), scene.pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        cv2.imwrite(str(mask_path), mask)
        made.append(Row(path, name, "test", 1, SOURCE, SOURCE, scene.group, mask_path))
    return made
