"""What a file that is no picture is, by its bytes."""

from __future__ import annotations

import pytest
from PIL import Image

from bot.file_types import refusal_of
from bot.replies.refusals import Refusal
from tests.bot.telegram.video import mp4


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"\0\0\0\x18ftypmp42", Refusal.VIDEO),
        (b"\0\0\0\x18ftypqt  ", Refusal.VIDEO),
        (b"\0\0\0\x18ftypM4A ", Refusal.SOUND),
        (b"\x1a\x45\xdf\xa3 webm", Refusal.VIDEO),
        (b"RIFF\0\0\0\0AVI LIST", Refusal.VIDEO),
        (b"RIFF\0\0\0\0WAVEfmt ", Refusal.SOUND),
        (b"RIFF\0\0\0\0ACON", None),
        (b"ID3\x04", Refusal.SOUND),
        (b"\xff\xfb\x90\x64", Refusal.SOUND),
        (b"\xff\xfe\x41\x00", None),
        (b"OggS", Refusal.SOUND),
        (b"%PDF-1.7", None),
        (b"", None),
    ],
)
def test_by_its_first_bytes(data: bytes, refusal: Refusal | None) -> None:
    assert refusal_of(data) is refusal


def test_a_video_that_a_program_wrote() -> None:
    assert refusal_of(mp4([Image.new("RGB", (64, 64))])) is Refusal.VIDEO
