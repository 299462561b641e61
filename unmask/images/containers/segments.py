"""A segment, a walk over the segments of one container, and what may end it early."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from enum import StrEnum
from struct import calcsize, unpack_from
from typing import Any, Self

#: An honest part is seldom under this many bytes, on average over a file.
_BYTES_A_PART = 64
_PARTS_ALWAYS = 65_536

Bytes = bytes | memoryview


class Fault(StrEnum):
    """Why a container ends before its last segment does."""

    #: The file stops inside a segment, or before the one that marks the end.
    TRUNCATED = "truncated"
    #: Something else lies where picture data should begin.
    NO_PICTURE_DATA = "no_picture_data"
    #: More segments than a file of this length honestly has.
    TOO_MANY_PARTS = "too_many_parts"
    #: A JPEG with more scans than any encoder makes: each costs a pass over the whole picture.
    TOO_MANY_SCANS = "too_many_scans"


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a container.

    ``tag`` is its name in the format's own words (``APP1``, ``IDAT``, ``meta``, ``IFD``);
    ``offset`` and ``length`` are those of the whole part, header and checksum included, in bytes;
    ``payload`` is a view of what it carries, without its header. A part that was cut off has the
    payload that is there.
    """

    tag: str
    offset: int
    length: int
    payload: memoryview = field(repr=False)

    @property
    def end(self) -> int:
        """The offset just after the part."""
        return self.offset + self.length


#: What a format's module yields; it returns the offset just after the container, None where the
#: format does not say, and raises :class:`BrokenContainerError`.
Segments = Generator[Segment, None, int | None]


class BrokenContainerError(Exception):
    """Ends a walk early: ``end`` is the offset up to which the container was followed."""

    def __init__(self, fault: Fault, end: int) -> None:
        super().__init__(fault)
        self.fault, self.end = fault, end


class Walk:
    """The segments of one container, to be iterated once.

    After the iteration ``end`` is the offset just after the container's own bytes, None where the
    format does not say, and ``fault`` is None or says what ended the iteration early.
    """

    def __init__(self, segments: Segments) -> None:
        self._segments: Segments | None = segments
        self.end: int | None = None
        self.fault: Fault | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Segment:
        if self._segments is None:
            raise StopIteration
        try:
            return next(self._segments)
        except StopIteration as stop:
            self._segments, self.end = None, stop.value
            raise
        except BrokenContainerError as broken:
            self._segments, self.end, self.fault = None, broken.end, broken.fault
            raise StopIteration from broken

    def finish(self) -> Self:
        """The same walk, at its end."""
        for _ in self:
            pass
        return self


class Budget:
    """How many parts may still be read of a file: bounded by its length, so that a file made of
    millions of tiny parts cannot keep a worker busy."""

    def __init__(self, data: Bytes) -> None:
        self._left = max(_PARTS_ALWAYS, len(data) // _BYTES_A_PART)

    def spend(self, position: int) -> None:
        """Count one part that begins at ``position``."""
        self._left -= 1
        if self._left < 0:
            raise BrokenContainerError(Fault.TOO_MANY_PARTS, position)


def segment(data: Bytes, tag: str, offset: int, header: int, length: int, tail: int = 0) -> Segment:
    """The part at ``offset`` of ``length`` bytes, of which ``header`` come before the payload and
    ``tail`` after it."""
    payload = memoryview(data)[offset + header : offset + length - tail]
    return Segment(tag, offset, length, payload)


def little(data: Bytes) -> int:
    """An unsigned number whose lowest byte comes first."""
    return int.from_bytes(data, "little")


def fields(form: str, data: Bytes, offset: int = 0) -> Any:
    """The tuple of fields at an offset, or None when the data ends before them."""
    return unpack_from(form, data, offset) if offset + calcsize(form) <= len(data) else None
