"""All metadata of a file, for those who may read it: the telling fields first, explained."""

from __future__ import annotations

from typing import Any

from unmask.evidence.fields import Field
from unmask.evidence.metadata.reader import Metadata
from unmask.i18n import gettext_noop

#: Fields that are listed, and characters of a value.
_MAX_FIELDS, _MAX_VALUE = 500, 1_000
#: What the telling fields mean, in the order in which they are worth reading.
MEANINGS = {
    "EXIF:DateTimeOriginal": gettext_noop("When the camera's clock says the picture was taken"),
    "EXIF:DateTime": gettext_noop("When a program last wrote the file"),
    "EXIF:OffsetTimeOriginal": gettext_noop("The time zone of the camera's clock"),
    "XMP-xmp:CreateDate": gettext_noop("When the first version was made"),
    "XMP-xmp:ModifyDate": gettext_noop("When a program last wrote the file"),
    "XMP-photoshop:DateCreated": gettext_noop("When the picture was taken, by a press agency"),
    "GPS:GPSDateStamp": gettext_noop("The satellites' date, which no camera sets"),
    "GPS:GPSTimeStamp": gettext_noop("The satellites' time (UTC)"),
    "EXIF:Make": gettext_noop("The camera's or phone's maker"),
    "EXIF:Model": gettext_noop("The camera or phone"),
    "EXIF:LensModel": gettext_noop("The lens"),
    "EXIF:BodySerialNumber": gettext_noop("The one camera that it was"),
    "EXIF:Software": gettext_noop("The program that wrote the file, or the phone's system"),
    "XMP-xmp:CreatorTool": gettext_noop("The program that made the first version"),
    "PNG:Software": gettext_noop("The program that wrote the file, or the phone's system"),
    "XMP-xmpMM:History.softwareAgent": gettext_noop("A program that edited it, step by step"),
    "XMP-xmpMM:History.action": gettext_noop("What was done, step by step"),
    "XMP-xmpMM:History.when": gettext_noop("When, step by step"),
    "XMP-xmpMM:DocumentID": gettext_noop("This version's number"),
    "XMP-xmpMM:OriginalDocumentID": gettext_noop(
        "The first version's number: the same in all pictures made from it"
    ),
    "EXIF:ImageUniqueID": gettext_noop("The one shot that it was"),
    "XMP-iptcExt:DigitalSourceType": gettext_noop("How the picture came about, by its maker"),
    "XMP-photoshop:Credit": gettext_noop("Who is to be credited"),
    "IPTC:Credit": gettext_noop("Who is to be credited"),
    "EXIF:Artist": gettext_noop("Who took it, as somebody typed it"),
    "IPTC:By-line": gettext_noop("Who took it, as somebody typed it"),
    "IPTC:SpecialInstructions": gettext_noop("Notes for editors; FBMD… is written by Facebook"),
    "EXIF:UserComment": gettext_noop("A note by the program or its user"),
    "EXIF:ImageDescription": gettext_noop("A note by the program or its user"),
    "PNG:parameters": gettext_noop("What an image generator was asked for"),
    "PNG:prompt": gettext_noop("What an image generator was asked for"),
    "EXIF:Orientation": gettext_noop("How the camera was held"),
}


def metadata_json(metadata: Metadata) -> dict[str, Any]:
    """The fields as JSON: ``fields`` (name, value, and a meaning in English where there is one),
    ``place`` (latitude and longitude in degrees), and ``left_out``, how many fields more there
    are."""
    order = {name: number for number, name in enumerate(MEANINGS)}
    fields = sorted(metadata.fields, key=lambda field: order.get(field.name, len(order)))
    place = metadata.place
    return {
        "fields": [_entry(field) for field in fields[:_MAX_FIELDS]],
        "left_out": max(len(fields) - _MAX_FIELDS, 0),
        "place": {"latitude": place[0], "longitude": place[1]} if place else None,
    }


def _entry(field: Field) -> dict[str, str]:
    value = field.value if len(field.value) <= _MAX_VALUE else field.value[:_MAX_VALUE] + "…"
    entry = {"name": field.name, "value": value}
    meaning = MEANINGS.get(field.name)
    return entry | {"meaning": meaning} if meaning else entry
