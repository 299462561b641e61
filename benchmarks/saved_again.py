"""How often a JPEG is told to have been saved before, where it was and where it was not.

    python -m benchmarks.saved_again FOLDER

Photographs below the folder are made smaller, so that nothing of earlier saving is left, and saved
once or twice at several qualities. One half, told by the first bit of a file's SHA-256, is what the
bound was set on.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from io import BytesIO
from pathlib import Path

from PIL import Image

from unmask.errors import UnmaskError
from unmask.evidence.blocks import read_blocks
from unmask.evidence.jpeg.saving import was_saved_before
from unmask.images import open_picture, read_picture
from unmask.settings import Settings

RESULT = Path(__file__).parent / "results" / "saved_again.json"
FIRST, LAST = (60, 75, 85, 90, 95), (75, 85, 90, 95)
#: Shorter side of a photograph that is used, in pixels, by how much it is made smaller, and how
#: many photographs are.
LEAST_SIDE, SMALLER, PHOTOGRAPHS = 700, 0.43, 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    settings, saved, told = Settings(max_bytes=60_000_000), Counter[str](), Counter[str]()
    used = 0
    for path in sorted(parser.parse_args().folder.rglob("*")):
        try:
            picture = read_picture(path, settings)
            if min(picture.width, picture.height) < LEAST_SIDE or used == PHOTOGRAPHS:
                continue
            image = Image.fromarray(picture.pixels())
        except UnmaskError:
            continue
        used += 1
        size = round(image.width * SMALLER), round(image.height * SMALLER)
        _count(image.resize(size, Image.Resampling.LANCZOS), picture.sha256, saved, told)
    result = {
        "photographs": used,
        "saved": {name: {"files": saved[name], "told": told[name]} for name in sorted(saved)},
    }
    print(json.dumps(result, indent=2))
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _count(image: Image.Image, sha256: str, saved: Counter[str], told: Counter[str]) -> None:
    half = "tuning" if int(sha256[0], 16) < 8 else "reported"
    files = {f"once at {last}": _saved(image, last) for last in LAST}
    for first in FIRST:
        before = Image.open(BytesIO(_saved(image, first)))
        files |= {f"{first}, then {last}": _saved(before, last) for last in LAST if last != first}
    for name, data in files.items():
        picture = open_picture(data, Settings())
        saved[f"{half}: {name}"] += 1
        told[f"{half}: {name}"] += was_saved_before(picture, read_blocks(data, "JPEG"))


def _saved(image: Image.Image, quality: int) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


if __name__ == "__main__":
    main()
