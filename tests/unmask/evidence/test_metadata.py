"""What the fields tell, and that nothing is in a note which may not be published."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import pytest
from PIL import ExifTags, Image

from tests.pictures import encoded, photo
from tests.unmask.evidence.files import marked, packet, plain, written
from unmask.evidence.blocks import read_blocks
from unmask.evidence.metadata.reader import Metadata, read_metadata
from unmask.evidence.metadata.telling import tell
from unmask.evidence.metadata.thumbnail import compare_thumbnail
from unmask.findings import Evidence, Says, Weight, evidence_says

NOW = datetime(2026, 6, 1, tzinfo=UTC)
CAMERA = {"EXIF:Make": "Canon", "EXIF:Model": "Canon EOS R5", "EXIF:ExposureTime": "0.01"}


def metadata(data: bytes, kind: str = "JPEG") -> Metadata:
    return read_metadata(read_blocks(data, kind))


def notes(fields: dict[str, str]) -> dict[str, Evidence]:
    found = tell(metadata(marked("JPEG", fields)), NOW)
    assert all(item.weight is Weight.NOTE for item in found)
    return {item.code: item for item in found}


def gps(latitude: tuple[float, ...], longitude: tuple[float, ...], east: str = "E") -> bytes:
    block = Image.Exif()
    tags = block.get_ifd(ExifTags.IFD.GPSInfo)
    tags.update({1: "S", 2: latitude, 3: east, 4: longitude, 29: "2020:01:05"})
    block.get_ifd(ExifTags.IFD.Exif)[0x9003] = "2020:01:01 10:00:00"
    return block.tobytes()


def test_a_plain_picture_tells_nothing() -> None:
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"):
        assert tell(metadata(plain(kind), kind), NOW) == []


def test_a_camera_is_named_by_its_settings_and_not_by_its_name_alone() -> None:
    camera = notes(CAMERA)["camera_named"]
    assert (camera.says, camera.parameters) == (Says.CAMERA, {"camera": "Canon EOS R5"})
    assert notes({"EXIF:Make": "Canon", "EXIF:Model": "Canon EOS R5"}) == {}
    assert evidence_says([camera]) is Says.NOTHING  # anybody can copy it
    other = notes({**CAMERA, "EXIF:Make": "Google", "EXIF:Model": "Pixel 9"})
    assert other["camera_named"].parameters == {"camera": "Google Pixel 9"}


@pytest.mark.parametrize(
    ("field", "value", "program"),
    [
        ("EXIF:Software", "Adobe Photoshop 26.1 (Windows)", "Adobe Photoshop"),
        ("EXIF:Software", "Adobe Photoshop Lightroom 6", "Adobe Photoshop Lightroom"),
        ("XMP-xmp:CreatorTool", "Canva doc=DAF user=UAF", "Canva"),
        ("XMP-xmpMM:History.softwareAgent", "GIMP 2.10", "GIMP"),
        ("EXIF:Software", "Corelation Camera", None),
        ("EXIF:Software", "18.1", None),
    ],
)
def test_an_editor_is_named_without_what_follows_its_name(
    field: str, value: str, program: str | None
) -> None:
    editor = notes({field: value}).get("editor_named")
    assert (editor.parameters if editor else None) == ({"program": program} if program else None)


@pytest.mark.parametrize(
    ("taken", "changed", "code"),
    [
        ("2024:05:01 10:00:00", "2024:05:04 10:00:00", "changed_later"),
        ("2024:05:01 10:00:00", "2024:05:01 22:00:00", None),
        ("2024:05:09 10:00:00", "2024:05:01 10:00:00", "changed_before_taken"),
        ("2024:05:01 10:00:00", "2024:04:30 12:00:00", None),  # a time zone apart
        ("2027:05:01 10:00:00", "2027:05:01 10:00:00", "time_in_future"),
        ("0000:00:00 00:00:00", "2024:05:01 10:00:00", None),
        ("    :  :     :  :  ", "2024:05:01 10:00:00", None),
    ],
)
def test_times_against_each_other(taken: str, changed: str, code: str | None) -> None:
    found = notes({"EXIF:DateTimeOriginal": taken, "EXIF:DateTime": changed})
    assert list(found) == ([code] if code else [])


def test_a_place_is_read_and_not_published() -> None:
    data = metadata(written("JPEG", exif=gps((33.0, 51.0, 30.0), (151.0, 12.0, 36.0))))
    assert data.place == (-33.858333, 151.21)
    found = {item.code: item for item in tell(data, NOW)}
    assert set(found) == {"place_recorded", "place_at_other_time"}
    assert "33" not in str(found["place_recorded"]) and "151" not in str(found["place_recorded"])


@pytest.mark.parametrize("latitude", [(91.0, 0.0, 0.0), (float("nan"), 0.0, 0.0)])
def test_a_place_off_the_earth_is_none(latitude: tuple[float, ...]) -> None:
    if latitude[0] != latitude[0]:
        latitude = (0.0,)
    assert metadata(written("JPEG", exif=gps(latitude, (1.0, 0.0, 0.0)))).place is None


def test_history_and_documents() -> None:
    steps = "".join(
        f'<rdf:li stEvt:action="{action}" stEvt:softwareAgent="Adobe Photoshop 26.0"/>'
        for action in ("created", "saved", "saved")
    )
    xmp = packet(
        '<rdf:Description xmpMM:DocumentID="xmp.did:2" xmpMM:OriginalDocumentID="xmp.did:1">'
        f"<xmpMM:History><rdf:Seq>{steps}</rdf:Seq></xmpMM:History></rdf:Description>"
    )
    found = {item.code: item for item in tell(metadata(written("PNG", xmp=xmp), "PNG"), NOW)}
    assert set(found) == {"editor_named", "history_kept", "made_from_another"}
    assert found["history_kept"].parameters == {"steps": 3}
    assert "xmp.did" not in str(found.values())


def test_platforms() -> None:
    assert "passed_facebook" in notes({"IPTC:SpecialInstructions": "FBMD01000ac0030000ab12"})
    assert notes({"IPTC:SpecialInstructions": "FBMD is what we call it"}) == {}
    assert "screenshot" in notes({"EXIF:UserComment": "Screenshot"})


def thumbnail_of(picture: Image.Image, bars: bool = False) -> bytes:
    small = picture.resize((160, 107))
    if bars:
        whole = Image.new("RGB", (160, 120))
        whole.paste(small, (0, 6))
        small = whole
    out = BytesIO()
    small.save(out, "JPEG", quality=70)
    return out.getvalue()


@pytest.mark.parametrize("bars", [False, True], ids=["whole", "with bars"])
@pytest.mark.parametrize("turn", [0, 90, 270])
def test_a_thumbnail_of_the_same_picture_tells_nothing(turn: int, bars: bool) -> None:
    picture = photo(600, 400, seed=3)
    shown = np.asarray(picture.rotate(turn, expand=True))
    assert compare_thumbnail(thumbnail_of(picture, bars), shown) == []


def test_a_thumbnail_of_another_picture_is_told() -> None:
    shown = np.asarray(photo(600, 400, seed=3))
    (note,) = compare_thumbnail(thumbnail_of(photo(600, 400, seed=4)), shown)
    assert (note.code, note.says) == ("thumbnail_differs", Says.EDITED)
    cropped = np.asarray(photo(600, 400, seed=3).crop((0, 0, 250, 200)))
    assert compare_thumbnail(thumbnail_of(photo(600, 400, seed=3)), cropped)


def test_a_thumbnail_that_is_no_picture_or_flat_tells_nothing() -> None:
    shown = np.asarray(photo(600, 400))
    flat = encoded(Image.new("RGB", (160, 107), "black"), "JPEG")
    huge = encoded(Image.new("RGB", (4000, 8)), "JPEG")
    for thumbnail in (b"\xff\xd8\xff", flat, huge, flat[:200]):
        assert compare_thumbnail(thumbnail, shown) == []
