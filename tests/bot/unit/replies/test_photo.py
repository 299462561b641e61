"""What Telegram accepts as a photo."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from bot.replies import photo as photo_module
from bot.replies.photo import as_photo


def picture(width: int, height: int, kind: str = "JPEG") -> bytes:
    out = BytesIO()
    Image.new("L" if kind == "PNG" else "RGB", (width, height)).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(
    ("size", "kind", "too_large"),
    [
        ((640, 480), "JPEG", False),
        ((640, 480), "PNG", False),
        ((6000, 4001), "JPEG", True),
        ((6000, 4001), "PNG", True),
        ((2100, 100), "JPEG", True),
        ((16, 9000), "JPEG", True),
    ],
)
def test_a_picture_is_made_small_enough_for_telegram(
    size: tuple[int, int], kind: str, too_large: bool
) -> None:
    data = picture(*size, kind)
    photo, is_smaller = as_photo(data)
    assert is_smaller is too_large and (photo == data) is not too_large
    width, height = Image.open(BytesIO(photo)).size
    assert width + height <= photo_module.MAX_SIDES and len(photo) <= photo_module.MAX_BYTES
    assert max(width, height) <= photo_module.MAX_RATIO * min(width, height)
