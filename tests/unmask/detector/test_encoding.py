"""Pictures as files: what is read back from them, and how much of them is compressed."""

from __future__ import annotations

import zlib
from io import BytesIO

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from unmask.detector import encoding
from unmask.detector.align import Pixels
from unmask.detector.encoding import encode_jpeg, encode_png


def test_a_jpeg_shows_the_picture_and_its_channels_in_their_order(portrait: Pixels) -> None:
    data = encode_jpeg(portrait)
    assert data.startswith(b"\xff\xd8")
    back = cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), 1), cv2.COLOR_BGR2RGB)
    assert np.abs(back.astype(int) - portrait).mean() < 4


def test_a_png_is_the_picture_to_each_reader(portrait: Pixels) -> None:
    assert_read_back(np.ascontiguousarray(portrait[:, :, 0]))


@given(
    width=st.integers(1, 40),
    above=st.integers(0, 200),
    marked=st.integers(0, 20),
    below=st.integers(0, 200),
)
def test_rows_without_a_face_are_as_many_as_they_were(
    width: int, above: int, marked: int, below: int
) -> None:
    grey = np.zeros((above + marked + below or 1, width), np.uint8)
    grey[above : above + marked] = np.arange(1, width + 1)
    grey[above + 1 : above + marked : 3] = 0
    assert_read_back(grey)


def assert_read_back(grey: Pixels) -> None:
    data = encode_png(grey)
    with Image.open(BytesIO(data)) as image:
        assert (image.mode, image.format) == ("L", "PNG")
        image.verify()
    assert (np.asarray(Image.open(BytesIO(data))) == grey).all()
    assert (cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) == grey).all()
    # stricter than readers are, which leave a wrong checksum be
    stream = data[data.index(b"IDAT") + 4 : data.index(b"IEND") - 8]
    assert len(zlib.decompress(stream)) == grey.shape[0] * (1 + grey.shape[1])


def test_blank_rows_are_not_compressed_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    compressed: list[int] = []
    deflated = encoding._deflated

    def counted(raw: bytes, level: int) -> bytes:
        compressed.append(len(raw))
        return deflated(raw, level)

    monkeypatch.setattr(encoding, "_deflated", counted)
    grey = np.zeros((3000, 400), np.uint8)
    grey[1000:1100, 100:200] = 7
    assert_read_back(grey)
    assert sum(compressed) < grey.size / 8
