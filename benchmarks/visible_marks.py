"""How often the signs of generators are seen, on photographs and on pictures that carry them.

    python -m benchmarks.visible_marks --photographs FOLDER [FOLDER …] --with-a-star FOLDER

False alarms are counted on every photograph below the folders, apart for the half that the bounds
were set on and for the other (told by the first bit of a file's SHA-256). Recall: on the pictures
of the second folder, in each of which a person sees Gemini's star, whole and in the lower right
corner; and on photographs of the other half onto which a sign is drawn as its generator does, of
several sizes and opacities, saved as JPEG. Pictures that are in the folder twice count once.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from tests.unmask.evidence.signs import with_colour_bar, with_star
from unmask.errors import UnmaskError
from unmask.evidence.visible.search import find_visible_marks
from unmask.images import Picture, read_picture
from unmask.settings import Settings

RESULT = Path(__file__).parent / "results" / "visible_marks.json"
_Pixels = npt.NDArray[np.uint8]
#: One photograph in so many gets drawn signs.
EVERY = 8
#: Where a person would look at it: signs are drawn onto photographs with shorter sides from here.
LEAST_SIDE = 300
#: A star's side as shares of the shorter side: Gemini draws 0.047 to 0.063.
SHARES, OPACITIES, QUALITIES = (0.04, 0.05, 0.0625), (0.3, 0.5), (70, 85, 95)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=Path, nargs="+", required=True)
    parser.add_argument("--with-a-star", type=Path, required=True)
    options = parser.parse_args()
    pictures, alarms, drawn, seen = (Counter[str]() for _ in range(4))
    for path, picture in pictures_below(options.photographs):
        half = "tuning" if int(picture.sha256[0], 16) < 8 else "reported"
        pixels = picture.pixels()
        pictures[half] += 1
        for mark in _marks(pixels):
            alarms[f"{half}: {mark}"] += 1
            print(half, mark, path)
        if (
            half == "reported"
            and pictures[half] % EVERY == 0
            and min(pixels.shape[:2]) >= LEAST_SIDE
        ):
            _draw_signs(pixels, drawn, seen)
    stars = Counter[bool]()
    for path, picture in pictures_below([options.with_a_star]):
        is_seen = "gemini_star" in _marks(picture.pixels())
        stars[is_seen] += 1
        if not is_seen:
            print("not seen:", path)
    result = {
        "photographs": dict(pictures),
        "alarms": dict(alarms),
        "with_a_real_star": {"pictures": stars.total(), "seen": stars[True]},
        "drawn": {name: {"pictures": drawn[name], "seen": seen[name]} for name in drawn},
    }
    print(json.dumps(result, indent=2))
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _draw_signs(pixels: _Pixels, drawn: Counter[str], seen: Counter[str]) -> None:
    short = min(pixels.shape[:2])
    variants = [
        (f"star, opacity {opacity}", "gemini_star", with_star(pixels, share * short, opacity))
        for share in SHARES
        for opacity in OPACITIES
    ]
    variants.append(("colour bar", "dalle_colour_bar", with_colour_bar(pixels)))
    for name, mark, image in variants:
        for quality in QUALITIES:
            full_name = f"{name}, JPEG {quality}"
            drawn[full_name] += 1
            seen[full_name] += mark in _marks(saved(image, quality))


def _marks(pixels: _Pixels) -> list[str]:
    return [str(finding.parameters["mark"]) for finding in find_visible_marks(pixels)]


def saved(pixels: _Pixels, quality: int) -> _Pixels:
    """The picture as it is after it was saved as a JPEG."""
    out = BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality)
    return np.asarray(Image.open(out).convert("RGB"))


def pictures_below(folders: list[Path]) -> Iterator[tuple[Path, Picture]]:
    """Every picture below the folders that can be read, once."""
    settings, known = Settings(max_bytes=60_000_000), set[str]()
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()):
        digest = sha256(path.read_bytes()).hexdigest()
        if digest in known:
            continue
        known.add(digest)
        try:
            picture = read_picture(path, settings)
            picture.pixels()
        except UnmaskError:
            continue
        yield path, picture


if __name__ == "__main__":
    main()
