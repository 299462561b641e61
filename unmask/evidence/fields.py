"""One field of a picture's metadata, and how fields are looked up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Field:
    """A field named as exiftool names it (``EXIF:Software``, ``XMP-photoshop:Credit``,
    ``PNG:parameters``), and its value as text."""

    name: str
    value: str


class Fault(StrEnum):
    """Why a block of metadata is not read."""

    OVERSIZED = "oversized"
    #: Entities or a document type: what bombs are made of, and no XMP needs.
    FORBIDDEN = "forbidden"
    UNREADABLE = "unreadable"


class MetadataError(Exception):
    """Metadata that is not read: ``fault`` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


def values(fields: Iterable[Field], *names: str) -> Iterator[str]:
    """The values of the fields that have one of the names."""
    return (field.value for field in fields if field.name in names)


def first(fields: Iterable[Field], *names: str) -> str | None:
    """The value of the first field that has one of the names."""
    return next(values(fields, *names), None)
