"""Makes a picture acceptable to Telegram as a photo."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageOps

#: Telegram's limits for a photo: bytes, sum of the sides, ratio of the sides.
MAX_BYTES, MAX_SIDES, MAX_RATIO = 10_000_000, 10_000, 20
#: The long side of a picture that is made smaller; Telegram displays no more.
REDUCED_SIDE = 2_560


def as_photo(data: bytes) -> tuple[bytes, bool]:
    """The picture within Telegram's limits for a photo, and whether it was made smaller."""
    image = Image.open(BytesIO(data))
    width, height = image.size
    narrow = max(width, height) > MAX_RATIO * min(width, height)
    if not narrow and width + height <= MAX_SIDES and len(data) <= MAX_BYTES:
        return data, False
    image.draft("RGB", (REDUCED_SIDE, REDUCED_SIDE))
    image.thumbnail((REDUCED_SIDE, REDUCED_SIDE))
    small = image.convert("RGB")
    if narrow:
        shortest = -(-max(small.size) // MAX_RATIO)
        small = ImageOps.pad(small, (max(small.width, shortest), max(small.height, shortest)))
    out = BytesIO()
    small.save(out, "JPEG", quality=88)
    return out.getvalue(), True
