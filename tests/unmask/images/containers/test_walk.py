"""The segments of every container: they cover the file, and damage ends the walk with its name."""

from __future__ import annotations

import struct

import pytest

from tests import pictures
from tests.mutations import mutations
from tests.pictures import FORMATS, corners, encoded, photo
from unmask.images.containers import Fault, isobmff, walk

#: Bytes before the first segment: the signature, or the header of the file.
SIGNATURES = {"PNG": 8, "WEBP": 12, "BMP": 14}


@pytest.mark.parametrize("kind", sorted(set(FORMATS) - {"TIFF"}))
def test_the_segments_cover_the_file_and_end_where_it_ends(kind: str) -> None:
    data = encoded(photo(64, 48), kind)
    file = data + b"something behind it"
    parts = walk(file, kind)
    end = SIGNATURES.get(kind, 0)
    for part in parts:
        assert end <= part.offset <= end + 1  # WebP pads its chunks to whole words
        assert part.payload.obj is file  # no bytes are copied
        end = part.end
    assert (parts.fault, parts.end) == (None, len(data))
    assert len(data) - end in (0, 1)


@pytest.mark.parametrize(
    ("kind", "tags"),
    [
        ("JPEG", ["SOI", "APP0", "DQT", "DQT", "SOF0", *["DHT"] * 4, "SOS", "ECS", "EOI"]),
        ("PNG", ["IHDR", "IDAT", "IEND"]),
        ("GIF", ["screen", "image", "trailer"]),
        ("WEBP", ["VP8 "]),
        ("BMP", ["header", "pixels"]),
        ("TIFF", ["IFD"]),
        ("AVIF", ["ftyp", "meta", "mdat"]),
        ("HEIF", ["ftyp", "meta", "mdat"]),
    ],
)
def test_segments_have_the_names_of_their_format(kind: str, tags: list[str]) -> None:
    assert [part.tag for part in walk(encoded(corners(), kind), kind)] == tags


def test_payloads_are_what_a_segment_carries() -> None:
    text = b"Title\0A portrait"
    png = pictures.png(32, 32, pictures.png_chunk(b"tEXt", text), pixels=bytes(33 * 32))
    assert next(part.payload for part in walk(png, "PNG") if part.tag == "tEXt") == text
    jpeg = encoded(corners(), "JPEG", comment=b"hello")
    assert next(part.payload for part in walk(jpeg, "JPEG") if part.tag == "COM") == b"hello"
    gif = encoded(corners(), "GIF", comment=b"hello")
    comment = next(part for part in walk(gif, "GIF") if part.tag == "extension FE")
    assert comment.payload == b"\5hello\0"
    webp = encoded(corners(), "WEBP", exif=b"Exif\0\0II*\0")
    assert next(part.payload for part in walk(webp, "WEBP") if part.tag == "EXIF") == b"II*\0"


def test_boxes_in_boxes_are_walked_alike() -> None:
    data = encoded(corners(), "AVIF")
    meta = next(part for part in walk(data, "AVIF") if part.tag == "meta")
    inner = [part.tag for part in isobmff.segments(meta.payload[4:])]
    assert inner[:2] == ["hdlr", "pitm"] and "iprp" in inner


def test_a_container_inside_a_file_is_walked_from_its_start() -> None:
    first, second = encoded(corners(), "JPEG"), encoded(photo(32, 24), "JPEG")
    parts = walk(first + second + b"more", "JPEG", len(first)).finish()
    assert (parts.end, parts.fault) == (len(first + second), None)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_is_cut_off_anywhere_is_named_truncated(kind: str) -> None:
    whole = encoded(corners(), kind)
    faults = set()
    for length in range(32, len(whole) - 1, 7):
        parts = walk(whole[:length], kind).finish()
        faults.add(parts.fault)
        assert parts.end is None or parts.end <= length
    # Between two boxes an ISO media file may end, and a TIFF's chain may lie before its pixels.
    assert faults - {None} == {Fault.TRUNCATED}


FAULTS = {
    "PNG of a million parts": (
        "PNG",
        lambda: pictures.png(32, 32, pictures.png_chunk(b"abCd", b"") * 1_000_000),
        Fault.TOO_MANY_PARTS,
    ),
    "GIF of a million blocks": (
        "GIF",
        lambda: b"GIF89a\x20\0\x20\0\0\0\0!\xfe" + b"\1a" * 1_000_000,
        Fault.TOO_MANY_PARTS,
    ),
    "a million boxes": (
        "HEIF",
        lambda: encoded(corners(), "HEIF") + struct.pack(">I4s", 8, b"abcd") * 1_000_000,
        Fault.TOO_MANY_PARTS,
    ),
    "JPEG that begins with junk": (
        "JPEG",
        lambda: b"\xff\xd8\xff\xe0\0\4ab" + bytes(1_000_000),
        Fault.NO_PICTURE_DATA,
    ),
    "JPEG of a thousand scans": (
        "JPEG",
        lambda: b"\xff\xd8" + b"\xff\xda\0\4abcd" * 1000 + b"\xff\xd9",
        Fault.TOO_MANY_SCANS,
    ),
    "GIF that begins with junk": (
        "GIF",
        lambda: b"GIF89a\x20\0\x20\0\0\0\0" + b"x" * 99,
        Fault.NO_PICTURE_DATA,
    ),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("kind", "make", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_damaged_container_ends_with_a_named_fault(kind: str, make, fault: Fault) -> None:  # type: ignore[no-untyped-def]
    assert walk(make(), kind).finish().fault is fault


def test_a_tiff_whose_pages_lead_in_a_circle_ends() -> None:
    parts = walk(pictures.tiff_pages(3, loop=True), "TIFF")
    assert [part.tag for part in parts] == ["IFD"] * 3
    assert (parts.end, parts.fault) == (None, None)


def test_a_walk_that_has_ended_stays_ended() -> None:
    data = encoded(corners(), "PNG")
    parts = walk(data, "PNG").finish()
    assert list(parts) == [] and parts.finish().end == len(data)


def test_any_bytes_are_walked_to_an_end() -> None:
    for number, data in zip(range(400), mutations(11), strict=False):
        kind = FORMATS[number % len(FORMATS)]
        for part in walk(data, kind):
            assert part.offset >= 0 and len(part.payload) <= len(data)
