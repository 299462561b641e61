"""Photographs passed through an autoencoder: fakes that differ from them by its traces alone.

Rajan et al.: "Aligned Datasets Improve Detection of Latent Diffusion-Generated Images" (2025).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from model_training.dataset.data import Row, read_dataset
from model_training.dataset.landmarks import read_pixels
from model_training.dataset.making.fakes import Fake, write_fakes
from unmask.detector.align import Pixels

KIND, SOURCE = "autoencoded", "taef2"

#: A picture RGB (h, w, 3) to the like.
Passing = Callable[[Pixels], Pixels]


def make_autoencoded(
    passing: Passing, data: Sequence[Path], count: int, seed: int, out: Path
) -> int:
    """Pass ``count`` photographs of ``data`` through ``passing`` into ``out``, as far as they are
    not there; return how many that were.

    The seed draws the photographs; a larger ``count`` adds to a smaller one. Each fake keeps group
    and split of its photograph and names it as its twin, folder first, as training does on several
    folders. Raises ValueError where ``data`` has too few photographs, or ``out`` is one of it.
    """
    if out.resolve() in {folder.resolve() for folder in data}:
        raise ValueError(f"{out} holds the photographs: make the fakes in a folder of their own")
    rows = _photographs(data)
    if count > len(rows):
        raise ValueError(f"{count} photographs are asked for, but the data holds {len(rows)}")
    order = np.random.default_rng(seed).permutation(len(rows))[:count]
    return write_fakes([_fake(rows[int(index)], passing) for index in order], out)


def _photographs(data: Sequence[Path]) -> list[Row]:
    """The real pictures of all folders, their names always beginning with the folder's."""
    rows = read_dataset(data)
    if len(data) == 1:
        folder = data[0].resolve().name
        rows = [replace(row, name=f"{folder}/{row.name}") for row in rows]
    return [row for row in rows if row.label == 0]


def _fake(row: Row, passing: Passing) -> Fake:
    # named by the photograph, not by a number, which would change with the data
    digits = hashlib.sha256(row.name.encode()).hexdigest()[:16]
    return Fake(
        file=f"images/{SOURCE}/fake/{digits}.jpg",
        split=row.split,
        kind=KIND,
        source=SOURCE,
        group=row.group,
        make=partial(_passed, row.path, passing),
        twin=row.name,
    )


def _passed(path: Path, passing: Passing) -> Pixels:
    return passing(np.ascontiguousarray(read_pixels(path)[:, :, ::-1]))
