"""Each row of the table of marks: found in every container, and nowhere that proves nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.pictures import png_chunk
from tests.unmask.evidence.files import (
    CONTAINERS,
    exif_with_thumbnail,
    itxt,
    jpeg_segment,
    marked,
    packet,
    plain,
    png_with,
    reopened,
    written,
    xmp,
)
from unmask.evidence.blocks import read_blocks
from unmask.evidence.marks.search import find_marks
from unmask.evidence.marks.table import MARKS, Mark
from unmask.evidence.metadata.reader import read_metadata
from unmask.findings import Evidence, Says, Weight

TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
GENERATED = {"XMP-iptcExt:DigitalSourceType": TRAINED}
#: Fields that Pillow does not write into these containers.
NOT_WRITTEN = {("TIFF", "EXIF:UserComment")}


def marks(data: bytes, kind: str) -> list[Evidence]:
    return find_marks(read_metadata(read_blocks(data, kind)).fields)


def rows() -> Iterator[tuple[Mark, tuple[str, ...], str, tuple[str, ...]]]:
    """Each mark with each example in each of its fields, in each container that may hold it."""
    for mark in MARKS:
        for example in mark.examples:
            for name in mark.tests[0].fields:
                others = [test.fields[0] for test in mark.tests[1:]]
                groups = [field.partition(":")[0].split("-")[0] for field in (name, *others)]
                for kind in CONTAINERS[groups[0]]:
                    if all(kind in CONTAINERS[group] for group in groups):
                        yield mark, example, kind, (name, *others)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF", "HEIF"])
def test_each_row_is_found_in_each_container(kind: str) -> None:
    missed, seen = [], 0
    for mark, example, container, names in rows():
        if container != kind or (kind, names[0]) in NOT_WRITTEN:
            continue
        data = marked(kind, dict(zip(names, example, strict=True)))
        evidence = marks(data, kind)
        seen += 1
        if not any(
            item.says is mark.says and item.parameters.get("maker", "") == mark.maker
            for item in evidence
        ):
            missed.append((mark.id, names, evidence))
        assert all(item.weight is Weight.HINT for item in evidence)
    assert seen and missed == []


def test_every_row_has_a_source_and_a_name_of_its_own() -> None:
    assert len({mark.id for mark in MARKS}) == len(MARKS)
    assert all(mark.source and mark.examples for mark in MARKS)
    assert all(len(example) == len(mark.tests) for mark in MARKS for example in mark.examples)
    assert all(re.compile(test.pattern) for mark in MARKS for test in mark.tests)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF"])
def test_what_is_appended_after_the_end_is_no_mark(kind: str) -> None:
    both = marked(kind, GENERATED)
    assert marks(both, kind)
    assert marks(plain(kind) + both, kind) == []
    assert marks(plain(kind) + xmp(GENERATED), kind) == []


def test_png_chunks_and_jpeg_segments_after_the_end_are_no_marks() -> None:
    chunk = itxt("XML:com.adobe.xmp", xmp(GENERATED))
    assert marks(png_with(chunk), "PNG")
    assert marks(plain("PNG") + chunk, "PNG") == []
    segment = jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(GENERATED))
    data = plain("JPEG")
    assert marks(data[:2] + segment + data[2:], "JPEG")
    assert marks(data + segment, "JPEG") == []
    assert marks(data[:-2] + segment + data[-2:], "JPEG") == []  # between the scan and the end


def test_a_comment_is_no_mark() -> None:
    comment = jpeg_segment(0xFE, b"http://ns.adobe.com/xap/1.0/\0" + xmp(GENERATED))
    data = plain("JPEG")
    assert marks(data[:2] + comment + data[2:], "JPEG") == []
    said = "Made with Google AI. Steps: 20, Sampler: Euler. DALL-E, trainedAlgorithmicMedia"
    assert marks(png_with(png_chunk(b"tEXt", b"Comment\0" + said.encode())), "PNG") == []
    gif = plain("GIF")
    screen = 13 + (3 << ((gif[10] & 7) + 1))
    block = b"!\xfe" + bytes([len(said)]) + said.encode() + b"\0"
    commented = gif[:screen] + block + gif[screen:]
    assert reopened(commented).info["comment"]
    assert marks(commented, "GIF") == []


def test_a_mark_in_the_thumbnail_is_none_of_the_picture() -> None:
    thumbnail = marked("JPEG", GENERATED)
    block = exif_with_thumbnail(thumbnail)
    data = written("JPEG", exif=block)
    assert read_metadata(read_blocks(data, "JPEG")).thumbnail == thumbnail
    assert marks(data, "JPEG") == []


def test_a_mark_in_an_oversized_block_is_not_read() -> None:
    padded = xmp(GENERATED) + b" " * 1_000_000
    data = png_with(itxt("XML:com.adobe.xmp", padded))
    assert marks(data, "PNG") == []
    assert read_metadata(read_blocks(data, "PNG")).faults == {"PNG iTXt": "oversized"}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_broken_container_holds_no_mark(kind: str) -> None:
    whole = marked(kind, GENERATED)
    assert marks(whole, kind)
    broken = read_blocks(whole[:-40], kind)
    assert broken.broken and find_marks(read_metadata(broken).fields) == []


def test_a_chunk_with_a_wrong_checksum_is_no_mark() -> None:
    chunk = itxt("XML:com.adobe.xmp", xmp(GENERATED))
    assert marks(png_with(chunk[:-1] + bytes([chunk[-1] ^ 1])), "PNG") == []


@pytest.mark.parametrize(
    "descriptions",
    [
        f"<iptcExt:DigitalSourceType>{TRAINED}</iptcExt:DigitalSourceType>",
        '<rdf:Description><xmpMM:Ingredients><rdf:Bag><rdf:li rdf:parseType="Resource">'
        f"<iptcExt:DigitalSourceType>{TRAINED}</iptcExt:DigitalSourceType>"
        "</rdf:li></rdf:Bag></xmpMM:Ingredients></rdf:Description>",
        f"<rdf:Description><dc:description>{TRAINED}</dc:description></rdf:Description>",
        f'<rdf:Description xmlns:no="http://example.org/"><no:DigitalSourceType>{TRAINED}'
        "</no:DigitalSourceType></rdf:Description>",
        f"<!-- <rdf:Description iptcExt:DigitalSourceType='{TRAINED}'/> -->",
    ],
    ids=["no description", "an ingredient's", "another field", "another schema", "a comment"],
)
def test_a_source_type_elsewhere_in_the_xmp_is_not_the_pictures(descriptions: str) -> None:
    assert marks(written("PNG", xmp=packet(descriptions)), "PNG") == []


@pytest.mark.parametrize(
    "value",
    [
        TRAINED,
        TRAINED.replace("http:", "https:"),
        TRAINED + "/",
        "trainedAlgorithmicMedia",
        "http://cv.iptc.org/newscodes/digitalsourcetype/TrainedAlgorithmicMedia",
    ],
)
def test_spellings_of_a_source_type(value: str) -> None:
    attribute = f'<rdf:Description rdf:about="" iptcExt:DigitalSourceFileType="{value}"/>'
    (evidence,) = marks(written("JPEG", xmp=packet(attribute)), "JPEG")
    assert (evidence.says, evidence.code) == (Says.GENERATED, "mark_generated_unnamed")
    assert evidence.where.field == "XMP-iptcExt:DigitalSourceFileType"


@pytest.mark.parametrize(
    "fields",
    [
        {"EXIF:Software": "Imagen AI 12"},
        {"EXIF:Software": "Imagen"},
        {"EXIF:Software": "Gemini Photos"},
        {"EXIF:Software": "Firefly Camera"},
        {"EXIF:Software": "Adobe Photoshop 26.1 (Windows)"},
        {"EXIF:ImageDescription": "A talk about Midjourney, DALL-E and Stable Diffusion"},
        {"EXIF:Artist": "123e4567-e89b-12d3-a456-426614174000"},
        {"EXIF:ImageDescription": "Signature: " + "QUJD" * 12, "EXIF:Artist": "Ada"},
        {"XMP-photoshop:Credit": "Photo: Made with Google AI glasses"},
        {"PNG:prompt": "What do you see?"},
        {"PNG:prompt": '{"question": {"text": "x"}}'},
        {"PNG:parameters": "Exposure steps: 20"},
        {"PNG:Software": "Gemini"},
        {"XMP-TC260:AIGC": '{"Label": "0"}'},
        {"PNG:Description": "Job ID: 7"},
        {"XMP-iptcExt:DigitalSourceType": "x/digitalCapture"},
        {"XMP-iptcExt:DigitalSourceType": "not trainedAlgorithmicMedia"},
    ],
    ids=str,
)
def test_words_that_only_look_like_marks(fields: dict[str, str]) -> None:
    kind = "PNG" if any(name.startswith("PNG") for name in fields) else "JPEG"
    assert marks(marked(kind, fields), kind) == []


def test_one_finding_for_each_maker_and_thing_said() -> None:
    evidence = marks(
        marked(
            "JPEG",
            {
                **GENERATED,
                "XMP-photoshop:Credit": "Made with Google AI",
                "XMP-xmp:CreatorTool": "Google Gemini 3",
            },
        ),
        "JPEG",
    )
    assert [(item.code, item.parameters.get("maker")) for item in evidence] == [
        ("mark_generated_unnamed", None),
        ("mark_generated", "Google"),
    ]
