"""IPTC-IIM 4.2, the press agencies' fields of old -> fields."""

from __future__ import annotations

from collections.abc import Iterator

from unmask.evidence.fields import Field
from unmask.images.containers.segments import fields as unpacked

_MAX_DATASETS = 1_000
_IIM_RESOURCE = 0x0404
#: Datasets of the second record, by their number.
_NAMES = {
    5: "ObjectName",
    10: "Urgency",
    25: "Keywords",
    40: "SpecialInstructions",
    55: "DateCreated",
    65: "OriginatingProgram",
    70: "ProgramVersion",
    80: "By-line",
    90: "City",
    101: "Country-PrimaryLocationName",
    103: "OriginalTransmissionReference",
    105: "Headline",
    110: "Credit",
    115: "Source",
    116: "CopyrightNotice",
    120: "Caption-Abstract",
}
_UTF8 = b"\x1b%G"


def read_iptc(photoshop: bytes, record: bytes | None) -> tuple[Field, ...]:
    """The fields of an IIM record, or of the one among Photoshop's resources."""
    return tuple(_datasets(record if record is not None else _resource(photoshop)))


def _resource(photoshop: bytes) -> bytes:
    """The bytes of Photoshop's resource that holds IPTC; empty where there is none."""
    at = 0
    for _ in range(_MAX_DATASETS):
        if photoshop[at : at + 4] != b"8BIM":
            break
        number = int.from_bytes(photoshop[at + 4 : at + 6], "big")
        name = 1 + photoshop[at + 6] if at + 6 < len(photoshop) else 1
        at += 6 + name + name % 2
        length = int.from_bytes(photoshop[at : at + 4], "big")
        if number == _IIM_RESOURCE:
            return photoshop[at + 4 : at + 4 + length]
        at += 4 + length + length % 2
    return b""


def _datasets(record: bytes) -> Iterator[Field]:
    coding, at = "latin-1", 0
    for _ in range(_MAX_DATASETS):
        head = unpacked(">BBBH", record, at)
        if not head or head[0] != 0x1C or head[3] > 0x7FFF:
            return
        _, group, number, length = head
        value = record[at + 5 : at + 5 + length]
        at += 5 + length
        if (group, number) == (1, 90) and value == _UTF8:
            coding = "utf-8"
        if group == 2 and number in _NAMES and value.strip(b"\0 "):
            yield Field(f"IPTC:{_NAMES[number]}", value.decode(coding, "replace").strip("\0 "))
