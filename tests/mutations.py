"""Pictures of every format, damaged at random: cut, flipped, stretched and spliced."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.pictures import FORMATS, corners, encoded, photo


def mutations(seed: int, *more: bytes) -> Iterator[bytes]:
    """Damaged pictures without end, the same ones for the same seed; some of those in ``more``."""
    chance = random.Random(seed)
    originals = [
        encoded(image, kind) for image in (corners(), photo(96, 80)) for kind in FORMATS
    ] + list(more)
    while True:
        data = bytearray(chance.choice(originals))
        for _ in range(chance.choice((1, 1, 2, 8, 64))):
            _damage(data, chance, originals)
            if not data:
                break
        yield bytes(data)


def _damage(data: bytearray, chance: random.Random, originals: list[bytes]) -> None:
    start = chance.randrange(len(data))
    match chance.randrange(6):
        case 0:
            data[start] ^= 1 << chance.randrange(8)
        case 1:
            data[start] = chance.choice((0, 1, 127, 128, 255))
        case 2:
            del data[start : start + chance.randrange(1, 64)]
        case 3:
            data[start:start] = chance.randbytes(chance.randrange(1, 64))
        case 4:
            extreme = (b"\xff" * 4, bytes(4), b"\x7f" + b"\xff" * 3)
            data[start : start + 4] = chance.choice(extreme)
        case _:
            other = chance.choice(originals)
            splice = chance.randrange(len(other))
            data[start:] = other[splice : splice + 4_000]
