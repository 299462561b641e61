"""A picture as Telegram takes it for a photo."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageOps

#: What Telegram takes as a photo: bytes, sum of the sides, ratio of the sides.
PHOTO_BYTES, PHOTO_SIDES, PHOTO_RATIO = 10_000_000, 10_000, 20
#: Long side of a photo that had to be made smaller; Telegram shows less.
SMALLER = 2_560


def as_photo(data: bytes) -> tuple[bytes, bool]:
    """The picture as Telegram takes it for a photo, and whether it had to be made smaller."""
    image = Image.open(BytesIO(data))
    width, height = image.size
    narrow = max(width, height) > PHOTO_RATIO * min(width, height)
    if not narrow and width + height <= PHOTO_SIDES and len(data) <= PHOTO_BYTES:
        return data, False
    image.draft("RGB", (SMALLER, SMALLER))
    image.thumbnail((SMALLER, SMALLER))
    small = image.convert("RGB")
    if narrow:
        least = -(-max(small.size) // PHOTO_RATIO)
        small = ImageOps.pad(small, (max(small.width, least), max(small.height, least)))
    out = BytesIO()
    small.save(out, "JPEG", quality=88)
    return out.getvalue(), True
