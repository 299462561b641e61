"""Metadata that attacks its reader: a named fault, no finding, and bounded work."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from hashlib import md5

import pytest

from tests.pictures import png_chunk, text_bomb
from tests.unmask.evidence.files import (
    exif,
    itxt,
    jpeg_segment,
    packet,
    plain,
    png_with,
    written,
    xmp,
)
from unmask.evidence.blocks import MAX_BLOCK, read_blocks
from unmask.evidence.marks.search import find_marks
from unmask.evidence.metadata.exif import read_exif
from unmask.evidence.metadata.reader import Metadata, read_metadata

TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
FIELDS = {"XMP-iptcExt:DigitalSourceType": TRAINED}


def metadata(data: bytes, kind: str = "PNG") -> Metadata:
    return read_metadata(read_blocks(data, kind))


def with_xmp(text: bytes) -> bytes:
    return png_with(itxt("XML:com.adobe.xmp", text))


LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]><x>&j;</x>"
).encode()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (LAUGHS, "forbidden"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', "forbidden"),
        (b'<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:1/x">]><x>&e;</x>', "forbidden"),
        (b"<x>" * 100_000, "oversized"),
        (packet("<rdf:Description>" + "<dc:x/>" * 100_000 + "</rdf:Description>"), "oversized"),
        (packet(f"<rdf:Description {' '.join(f'dc:a{n}=`1`' for n in range(30_000))}/>".replace(
            "`", '"')), "oversized"),
        (b"not xml at all", "unreadable"),
        (b"\xff\xfe<\0x\0", "unreadable"),
        (b'<?xml version="1.0" encoding="no-such-code"?><x/>', "unreadable"),
    ],
    ids=["laughs", "file", "address", "deep", "100,000 nodes", "attributes", "text", "cut",
         "code"],
)  # fmt: skip
def test_hostile_xmp_is_a_named_fault(text: bytes, fault: str) -> None:
    data = metadata(with_xmp(text))
    assert (data.faults, data.fields) == ({"XMP": fault}, ())


def test_one_hostile_block_hides_no_other() -> None:
    texts = png_chunk(b"tEXt", b"parameters\0x\nSteps: 20, Sampler: Euler a")
    data = png_with(itxt("XML:com.adobe.xmp", LAUGHS), texts)
    (mark,) = find_marks(metadata(data).fields)
    assert mark.parameters["maker"] == "Stable Diffusion"


@pytest.mark.parametrize("chunk", [b"zTXt", b"iTXt"])
def test_a_text_that_inflates_is_refused_within_its_bound(chunk: bytes) -> None:
    data = text_bomb(chunk)
    tracemalloc.start()
    faults = metadata(data).faults
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert list(faults.values()) == ["oversized"]
    assert most < 8 * MAX_BLOCK


def test_a_damaged_compressed_text_is_a_named_fault() -> None:
    data = png_with(png_chunk(b"zTXt", b"parameters\0\0" + zlib.compress(b"Steps")[:-9] + b"xxxxx"))
    assert list(metadata(data).faults.values()) in (["unreadable"], [])
    assert metadata(png_with(png_chunk(b"zTXt", b"a\0\0nonsense"))).faults == {
        "PNG zTXt": "unreadable"
    }


def test_no_more_than_some_texts_are_read() -> None:
    many = b"".join(png_chunk(b"tEXt", b"k%d\0v" % number) for number in range(5_000))
    assert len(metadata(png_with(many)).fields) == 64


def ifd(entries: list[tuple[int, int, int, int]], after: int = 0) -> bytes:
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + body + struct.pack("<I", after)


HEAD = b"II*\0" + struct.pack("<I", 8)


@pytest.mark.parametrize(
    "block",
    [
        HEAD + ifd([(0x010E, 2, 60_000, 8)] * 1_500) + bytes(60_000),
        HEAD + ifd([(0x010E + n, 2, 1, 8) for n in range(5_000)]),
        HEAD + ifd([(0x8769, 4, 1, 8)]),
    ],
    ids=["the same bytes again and again", "many entries", "a directory that leads to itself"],
)
def test_directories_that_cost_too_much_are_not_read(block: bytes) -> None:
    tracemalloc.start()
    data = metadata(png_with(png_chunk(b"eXIf", block)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert data.faults == {"EXIF": "oversized"}
    assert most < 12_000_000


@pytest.mark.parametrize(
    "block",
    [b"", b"II*\0", b"MM\0*\xff\xff\xff\xff", HEAD, HEAD + b"\xff\xff", b"no tiff" * 100],
    ids=str,
)
def test_broken_exif_is_a_fault_or_nothing(block: bytes) -> None:
    assert metadata(png_with(png_chunk(b"eXIf", block))).fields == ()


def test_a_directory_of_negative_and_infinite_numbers_is_text() -> None:
    block = HEAD + ifd([(0x829A, 5, 1, 26)]) + struct.pack("<II", 1, 0)
    (field,) = read_exif(block).fields
    assert field.name == "EXIF:ExposureTime"


def extended(whole: bytes, identifier: bytes, parts: int = 2) -> bytes:
    size = -(-len(whole) // parts)
    segments = b""
    for offset in range(0, len(whole), size):
        head = identifier + struct.pack(">II", len(whole), offset)
        body = b"http://ns.adobe.com/xmp/extension/\0" + head + whole[offset : offset + size]
        segments += jpeg_segment(0xE1, body)
    main = packet(
        '<rdf:Description xmlns:n="http://ns.adobe.com/xmp/note/" '
        f'n:HasExtendedXMP="{identifier.decode()}"/>'
    )
    main_segment = jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + main)
    data = plain("JPEG")
    return data[:2] + main_segment + segments + data[2:]


def test_extended_xmp_is_joined_only_under_its_own_name() -> None:
    whole = xmp(FIELDS)
    name = md5(whole).hexdigest().upper().encode()
    assert find_marks(metadata(extended(whole, name), "JPEG").fields)
    assert find_marks(metadata(extended(whole, b"0" * 32), "JPEG").fields) == []
    long = whole + b" " * 1_100_000
    oversized = metadata(extended(long, md5(long).hexdigest().upper().encode(), 20), "JPEG")
    assert oversized.faults == {"extended XMP": "oversized"}


def test_items_of_a_heif_that_lie_outside_the_file_are_left_out() -> None:
    data = written("HEIF", exif=exif({"Software": "x"}))
    assert metadata(data, "HEIF").fields
    at = data.index(b"iloc")
    for position in range(at + 4, at + 60):
        broken = data[:position] + b"\xff" + data[position + 1 :]
        read_metadata(read_blocks(broken, "HEIF"))  # raises nothing
