"""The metadata blocks of a file -> all of their fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from unmask.evidence.blocks import Blocks
from unmask.evidence.fields import Fault, Field, MetadataError
from unmask.evidence.metadata.exif import Exif, read_exif
from unmask.evidence.metadata.iptc import read_iptc
from unmask.evidence.metadata.xmp import read_xmp

_T = TypeVar("_T")


@dataclass(frozen=True)
class Metadata:
    """The fields of a file, its place and thumbnail, and the blocks that were not read.

    ``faults`` has the reason by the name of the block.
    """

    fields: tuple[Field, ...] = ()
    place: tuple[float, float] | None = None
    thumbnail: bytes | None = None
    faults: dict[str, Fault] = field(default_factory=dict)


def read_metadata(blocks: Blocks) -> Metadata:
    """Read every block; one that is hostile or damaged hides none of the others. Never raises."""
    faults = dict(blocks.faults)
    exif, xmp = blocks.exif, blocks.xmp
    camera = _read(faults, "EXIF", Exif(), lambda: read_exif(exif)) if exif else Exif()
    properties: tuple[Field, ...] = ()
    if xmp:
        properties = _read(faults, "XMP", (), lambda: read_xmp(xmp, blocks.extended))
    texts = tuple(Field(f"PNG:{key}", text) for key, text in blocks.texts)
    press = read_iptc(blocks.photoshop, blocks.iptc)
    fields = (*camera.fields, *properties, *press, *texts)
    return Metadata(fields, camera.place, camera.thumbnail, faults)


def _read(faults: dict[str, Fault], name: str, nothing: _T, read: Callable[[], _T]) -> _T:
    try:
        return read()
    except MetadataError as error:
        faults[name] = error.fault
        return nothing
