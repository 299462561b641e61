"""Which copies of a picture the team desk knows again: ``python -m benchmarks.desk_copies FOLDER``.

FOLDER has photographs. Each of a few is changed as it is changed on its way through the web, and
compared with what it was as the desk compares a picture that comes with one that it has: does the
copy join the case by itself, is the case suggested, or is it not found? The shares go to
results/desk_copies.json.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from desk.pictures.looks import (
    MAX_SUGGESTED_BITS,
    PLAIN_DEVIATION,
    Appearance,
    bands,
)
from unmask.images.similarity import MAX_BITS, look, mirrored_bits
from unmask.settings import Settings

RESULTS = Path(__file__).parent / "results" / "desk_copies.json"
PICTURES = 100
KINDS = {".jpg", ".jpeg", ".png", ".webp"}


def cropped(share: float) -> Callable[[Image.Image], Image.Image]:
    """Takes this share of each side away, in equal parts left, right, above and below."""

    def crop(image: Image.Image) -> Image.Image:
        wide, high = round(image.width * share / 2), round(image.height * share / 2)
        return image.crop((wide, high, image.width - wide, image.height - high))

    return crop


def half(image: Image.Image) -> Image.Image:
    """The picture at half its size."""
    return image.resize((image.width // 2, image.height // 2))


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "saved again, JPEG 60": lambda image: image,
    "half the size": half,
    "brighter by a tenth": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "mirrored": ImageOps.mirror,
    "mirrored, half the size": lambda image: half(ImageOps.mirror(image)),
    **{f"cropped by {share:.0%}": cropped(share) for share in (0.02, 0.05, 0.1, 0.2, 0.3)},
    "turned by a quarter": lambda image: image.rotate(90, expand=True),
    "a white frame of a tenth": lambda image: ImageOps.expand(
        image, round(image.width * 0.1), "white"
    ),
}


def seen(image: Image.Image, settings: Settings, quality: int = 60) -> Appearance:
    """The picture as the desk sees its file."""
    out = BytesIO()
    image.save(out, "JPEG", quality=quality)
    looked = look(out.getvalue(), settings)
    small = np.asarray(looked.grey.resize((32, 32)), np.float32)
    return Appearance(looked, mirrored_bits(looked), (), bool(small.std() < PLAIN_DEVIATION))


def is_looked_up(one: int, other: int) -> bool:
    """Whether the bands find it: one of four differs in at most one bit."""
    pairs = zip(bands(one), bands(other), strict=True)
    return any((band ^ known).bit_count() <= 1 for band, known in pairs)


def outcome(known: Appearance, copy: Appearance) -> str:
    """What becomes of a copy that comes to a team that has the picture."""
    if known.is_plain or copy.is_plain:
        return "too plain"
    bits, mirrored = known.look.bits, copy.mirrored
    distance = (bits ^ copy.look.bits).bit_count()
    if distance <= MAX_BITS and copy.is_copy_of(known):
        return "joins"
    if distance <= MAX_SUGGESTED_BITS and is_looked_up(bits, copy.look.bits):
        return "suggested"
    if (bits ^ mirrored).bit_count() <= MAX_BITS and is_looked_up(bits, mirrored):
        return "suggested"
    return "not found"


def main(folder: Path) -> None:
    """Measure, print, and write the results."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in KINDS)
    paths = paths[:: max(1, len(paths) // PICTURES)][:PICTURES]
    settings, outcomes = Settings(), defaultdict[str, Counter[str]](Counter)
    strangers: Counter[str] = Counter()
    last: Appearance | None = None
    for path in paths:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        known = seen(image, settings, quality=95)
        for name, change in CHANGES.items():
            outcomes[name][outcome(known, seen(change(image), settings))] += 1
        if last is not None:
            strangers[outcome(last, known)] += 1
        last = known
    results = {
        "pictures": len(paths),
        "copies": {name: dict(counts) for name, counts in outcomes.items()},
        "another picture": dict(strangers),
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    sys.stdout.write(RESULTS.read_text())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
