"""Does the bot know a picture again, and only that one? ``python -m benchmarks.likeness DATA``.

DATA is a folder with photographs of faces, one face filling most of each, of at least 256 pixels.
Scenes of six faces are composed of them, at several sizes of a face. Each scene is compared with
itself re-encoded or resized, and with itself after one face was changed. The shares of those that
unmask/images/similarity.py calls alike go to results/likeness.json.
"""

from __future__ import annotations

import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from unmask.images import similarity
from unmask.report import Box
from unmask.settings import Settings

RESULTS = Path(__file__).parent / "results" / "likeness.json"
FACE_SIZES = (60, 90, 150, 300)
SCENES, COLUMNS, ROWS = 40, 3, 2


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, kind, **{"quality": 90} | options)
    return out.getvalue()


def scene(faces: list[Path], size: int, dice: random.Random) -> tuple[Image.Image, list[Box]]:
    """Six faces of ``size`` pixels on a plain ground, and their boxes."""
    image = Image.new("RGB", (COLUMNS * size * 2, ROWS * size * 2), (120, 110, 100))
    boxes: list[Box] = []
    for at, path in enumerate(dice.sample(faces, COLUMNS * ROWS)):
        left = (at % COLUMNS) * size * 2 + size // 2
        top = (at // COLUMNS) * size * 2 + size // 2
        with Image.open(path) as face:
            image.paste(
                face.convert("RGB").resize((size, size), Image.Resampling.LANCZOS), (left, top)
            )
        boxes.append((left + size // 5, top + size // 7, 3 * size // 5, 5 * size // 7))
    return image, boxes


def copies(image: Image.Image) -> Iterator[tuple[str, bytes]]:
    """The same picture, sent another way."""
    for quality in (85, 70, 50):
        yield f"JPEG {quality}", encoded(image, quality=quality)
    yield "WebP 75", encoded(image, "WEBP", quality=75)
    for share in (0.75, 0.5):
        small = image.resize((round(image.width * share), round(image.height * share)))
        yield f"resized to {share:g}", encoded(small, quality=85)


def changes(image: Image.Image, box: Box, other: Image.Image) -> Iterator[tuple[str, bytes]]:
    """The same picture with one face tampered with."""
    left, top, width, height = box
    part = (left, top, left + width, top + height)
    face = image.crop(part)
    mouth = np.array(image)
    rows = slice(top + 6 * height // 10, top + 9 * height // 10)
    columns = slice(left + width // 4, left + 3 * width // 4)
    mouth[rows, columns] = mouth[rows, columns][:, ::-1]
    for name, new in (
        ("another face", other.resize((width, height))),
        ("smoothed", face.filter(ImageFilter.GaussianBlur(height / 30))),
    ):
        changed = image.copy()
        changed.paste(new, part[:2])
        yield name, encoded(changed)
    yield "mouth mirrored", encoded(Image.fromarray(mouth))


def main() -> None:
    faces = sorted(path for path in Path(sys.argv[1]).rglob("*.jpg"))
    dice, settings = random.Random(0), Settings()
    shares: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for size in FACE_SIZES:
        for _ in range(SCENES):
            image, boxes = scene(faces, size, dice)
            known = similarity.look(encoded(image), settings)
            with Image.open(dice.choice(faces)) as other:
                sent = [*copies(image), *changes(image, boxes[0], other.convert("RGB"))]
            for name, data in sent:
                same = similarity.alike(known, similarity.look(data, settings), boxes)
                shares[name][f"face of {size} px"].append(same)
    table = {
        name: {size: sum(found) / len(found) for size, found in sizes.items()}
        for name, sizes in shares.items()
    }
    RESULTS.write_text(json.dumps({"scenes": SCENES, "called alike": table}, indent=2) + "\n")
    sys.stdout.write(RESULTS.read_text())


if __name__ == "__main__":
    main()
