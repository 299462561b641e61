"""Fields -> notes on what they tell: where from, by which program, when, and what contradicts.

All of it can be copied or typed by anybody, so everything here is a note. What may not be
published (places, names, exact times) is in no parameter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from unmask.evidence.fields import Field, first, values
from unmask.evidence.metadata.reader import Metadata
from unmask.findings import Evidence, Kind, Says, Weight, Where

_TIME = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?")
_TAKEN = ("EXIF:DateTimeOriginal", "XMP-exif:DateTimeOriginal", "XMP-photoshop:DateCreated")
_CHANGED = ("EXIF:DateTime", "XMP-xmp:ModifyDate")
#: A camera's clock knows no time zone: so far may two true times differ.
_ZONES = timedelta(hours=26)
_PROGRAM = ("EXIF:Software", "XMP-xmp:CreatorTool", "PNG:Software", "IPTC:OriginatingProgram")
_AGENT = "XMP-xmpMM:History.softwareAgent"
_FACEBOOK = re.compile(r"FBMD[0-9a-f]{8,}")
_MAX_NAME = 60

#: Programs that edit pictures, by how their names begin.
EDITORS = (
    "Adobe Photoshop Lightroom",
    "Adobe Lightroom",
    "Adobe Photoshop",
    "Adobe Illustrator",
    "Affinity Photo",
    "Aviary",
    "BeautyPlus",
    "Canva",
    "Capture One",
    "Corel",
    "darktable",
    "DxO",
    "FaceApp",
    "Facetune",
    "Figma",
    "GIMP",
    "Google Photos",
    "ImageMagick",
    "Instagram",
    "InShot",
    "Krita",
    "Luminar",
    "Meitu",
    "paint.net",
    "PaintShop",
    "Photopea",
    "PhotoScape",
    "Picasa",
    "PicsArt",
    "Pixelmator",
    "Pixlr",
    "Remini",
    "Snapseed",
    "VSCO",
    "YouCam",
)


def tell(metadata: Metadata, now: datetime) -> list[Evidence]:
    """The notes on a file's metadata, in the order in which they are worth reading."""
    fields = metadata.fields
    notes = [
        *_camera(fields),
        *_programs(fields),
        *_times(fields, now),
        *_history(fields),
        *_platforms(fields),
    ]
    if metadata.place is not None:
        notes.append(_note("place_recorded", "GPS:GPSLatitude"))
    for block, fault in metadata.faults.items():
        notes.append(_note(f"metadata_{fault}", block, block=block))
    return notes


def _note(
    code: str, field: str | None = None, says: Says = Says.NOTHING, **parameters: str | int
) -> Evidence:
    return Evidence(
        kind=Kind.METADATA,
        code=code,
        weight=Weight.NOTE,
        says=says,
        where=Where(field=field),
        parameters=parameters,
    )


def _camera(fields: Sequence[Field]) -> Iterator[Evidence]:
    """The camera that the file names, or that a source type says it comes from one."""
    make, model = first(fields, "EXIF:Make"), first(fields, "EXIF:Model")
    if model and first(fields, "EXIF:ExposureTime", "EXIF:FNumber", "EXIF:ISOSpeedRatings"):
        begins = make and model.lower().startswith(make.split()[0].lower())
        name = model if begins or not make else f"{make} {model}"
        yield _note("camera_named", "EXIF:Model", Says.CAMERA, camera=_safe(name))
    for value in values(fields, "XMP-iptcExt:DigitalSourceType"):
        if value.rstrip("/").endswith(("/digitalCapture", "/computationalCapture")):
            yield _note("camera_claimed", "XMP-iptcExt:DigitalSourceType", Says.CAMERA)
            return


def _programs(fields: Sequence[Field]) -> Iterator[Evidence]:
    """Each editing program that the file names, once."""
    names: dict[str, str] = {}
    for field in fields:
        if field.name in (*_PROGRAM, _AGENT):
            editor = next((name for name in EDITORS if _begins(field.value, name)), None)
            if editor:
                names.setdefault(editor, field.name)
    for name, field_name in names.items():
        yield _note("editor_named", field_name, Says.EDITED, program=name)


def _begins(value: str, name: str) -> bool:
    return re.match(rf"{re.escape(name)}\b", value, re.IGNORECASE) is not None


def _times(fields: Sequence[Field], now: datetime) -> Iterator[Evidence]:
    """Times that do not fit each other."""
    taken, changed = _time(fields, *_TAKEN), _time(fields, *_CHANGED)
    if taken and taken > now + _ZONES:
        yield _note("time_in_future", "EXIF:DateTimeOriginal")
    if taken and changed and taken > changed + _ZONES:
        yield _note("changed_before_taken", "EXIF:DateTime")
    elif taken and changed and changed - taken > _ZONES:
        days = (changed - taken).days
        yield _note("changed_later", "EXIF:DateTime", Says.EDITED, days=max(days, 1))
    satellite = first(fields, "GPS:GPSDateStamp")
    fixed = _time_of(f"{satellite} 12:00") if satellite else None
    if taken and fixed and abs(fixed - taken) > _ZONES + timedelta(hours=12):
        yield _note("place_at_other_time", "GPS:GPSDateStamp", days=abs(fixed - taken).days)


def _time(fields: Sequence[Field], *names: str) -> datetime | None:
    value = first(fields, *names)
    return _time_of(value) if value else None


def _time_of(value: str) -> datetime | None:
    """A time as EXIF or XMP write it, taken for UTC: its zone is mostly unknown."""
    match = _TIME.match(value)
    if not match:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    try:
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None


def _history(fields: Sequence[Field]) -> Iterator[Evidence]:
    steps = sum(1 for _ in values(fields, "XMP-xmpMM:History.action"))
    if steps:
        yield _note("history_kept", "XMP-xmpMM:History", Says.EDITED, steps=steps)
    document = first(fields, "XMP-xmpMM:DocumentID")
    original = first(fields, "XMP-xmpMM:OriginalDocumentID")
    if document and original and document.lower() != original.lower():
        yield _note("made_from_another", "XMP-xmpMM:OriginalDocumentID", Says.EDITED)


def _platforms(fields: Sequence[Field]) -> Iterator[Evidence]:
    names = ("IPTC:SpecialInstructions", "XMP-photoshop:Instructions")
    if any(_FACEBOOK.match(value) for value in values(fields, *names)):
        yield _note("passed_facebook", "IPTC:SpecialInstructions")
    if any(value.lower() == "screenshot" for value in values(fields, "EXIF:UserComment")):
        yield _note("screenshot", "EXIF:UserComment")


def _safe(name: str) -> str:
    """A name from a stranger's file: printable, and no longer than a name."""
    return "".join(letter for letter in name if letter.isprintable())[:_MAX_NAME].strip()
