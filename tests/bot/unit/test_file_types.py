"""What a file that is no picture is, by its bytes."""

from __future__ import annotations

import pytest
from PIL import Image

from bot.file_types import refusal_of
from bot.replies.refusals import Refused
from tests.bot.telegram.video import mp4


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"\0\0\0\x18ftypmp42", Refused.VIDEO),
        (b"\0\0\0\x18ftypqt  ", Refused.VIDEO),
        (b"\0\0\0\x18ftypM4A ", Refused.SOUND),
        (b"\x1a\x45\xdf\xa3 webm", Refused.VIDEO),
        (b"RIFF\0\0\0\0AVI LIST", Refused.VIDEO),
        (b"RIFF\0\0\0\0WAVEfmt ", Refused.SOUND),
        (b"RIFF\0\0\0\0ACON", None),
        (b"ID3\x04", Refused.SOUND),
        (b"\xff\xfb\x90\x64", Refused.SOUND),
        (b"\xff\xfe\x41\x00", None),
        (b"OggS", Refused.SOUND),
        (b"%PDF-1.7", None),
        (b"", None),
    ],
)
def test_by_its_first_bytes(data: bytes, refusal: Refused | None) -> None:
    assert refusal_of(data) is refusal


def test_a_video_that_a_program_wrote() -> None:
    assert refusal_of(mp4([Image.new("RGB", (64, 64))])) is Refused.VIDEO
