"""A picture whose header passed every limit, and the functions that open one."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL.ImageFile import ImageFile

from unmask.errors import UnmaskError
from unmask.images import opening, pixels
from unmask.images.containers import Fault
from unmask.images.layout import Layout, layout
from unmask.images.pixels import Appearance
from unmask.images.polyglot import Polyglot, find_polyglot
from unmask.images.sniff import sniff
from unmask.settings import Settings
from unmask.warning_codes import CodedWarning, warn

_SHRINKS = (1, 2, 4, 8)
#: The warning about several pictures in a file, by format; "some_frames" for all others.
_SEVERAL = {"TIFF": "first_page", "HEIF": "main_picture"}
#: Formats whose frames only the decoder's header parser counts.
_BY_DECODER = frozenset({"AVIF", "HEIF"})
#: Structures that no decoder should be given; a file that is merely cut off may still be shown.
_FAULTS = {
    Fault.NO_PICTURE_DATA: "holds no picture data where it should",
    Fault.TOO_MANY_PARTS: "has too many parts",
    Fault.TOO_MANY_SCANS: "has too many scans",
}
_SECOND_FILES = {
    "archive": "an archive",
    "page": "a web page",
    "script": "a script",
    "program": "a program",
    "document": "a document",
    "PDF": "a PDF",
}


@dataclass(frozen=True)
class Picture:
    """A picture whose header passed every limit; nothing is decoded yet.

    ``sha256`` is of ``data``; ``format`` is one of JPEG, PNG, WEBP, GIF, BMP, TIFF, AVIF, HEIF;
    ``width`` and ``height`` are in pixels, as shown (EXIF orientation applied); ``warnings`` are
    for the person who submitted it.
    """

    data: bytes = field(repr=False)
    sha256: str
    format: str
    width: int
    height: int
    warnings: tuple[CodedWarning, ...]

    def pixels(self, shrink: int = 1, appearance: int = 0) -> NDArray[np.uint8]:
        """Decode to upright sRGB: uint8, (h, w, 3), C-contiguous and the caller's own.

        A JPEG is decoded at 1/``shrink`` of its sides (1, 2, 4 or 8; rounded up), which is faster
        than decoding it whole; every other format comes at full size. ``appearance`` is a number
        of :meth:`appearances`; the first is what browsers show on a white page: deep grey scaled
        to 8 bits, of several frames the first that shows something.

        Raises what :meth:`appearances` raises.
        """
        return next(islice(self.appearances(shrink), appearance, None)).pixels

    def appearances(self, shrink: int = 1) -> Iterator[Appearance]:
        """Decode to each of the ways in which viewers show the picture; mostly there is one.

        A picture that can be seen through is shown on white and on black; frames of an animation
        that stay for long, or that only viewers show that know no animation, are shown too. Each
        is decoded when it is asked for.

        Raises :class:`UnmaskError` ``truncated``, ``damaged`` or, for a rare variant that only
        the decoder can tell, ``unsupported_format``.
        """
        if shrink not in _SHRINKS:
            raise ValueError(f"shrink must be one of {_SHRINKS}, not {shrink}")
        return pixels.decode(self.data, self.format, shrink)

    def shrink_for(self, side: int) -> int:
        """The largest ``shrink`` for :meth:`pixels` that leaves a long side of ``side`` or more."""
        longest = max(self.width, self.height)
        return max(step for step in _SHRINKS if step == 1 or longest >= step * side)


def open_picture(data: bytes, settings: Settings) -> Picture:
    """Read the header of ``data`` and hold it against the limits; nothing is decoded.

    Raises :class:`UnmaskError` ``empty_file``, ``too_many_bytes``, ``not_a_picture``,
    ``unsupported_format``, ``too_many_frames``, ``too_many_pixels``, ``bad_dimensions``,
    ``polyglot``, ``truncated`` or ``damaged``.
    """
    _check_bytes(len(data), settings)
    kind = sniff(data)
    container = layout(data, kind)
    # The container's own claims come first: Pillow's WebP parser already makes room for a canvas.
    _check_layout(container, kind, settings)
    polyglot = find_polyglot(data, container)
    _check_alone(polyglot)
    image = opening.parse(data, kind)
    _check_preview(image)
    width, height = opening.upright_size(image)
    _check_size(width, height, settings)
    _check_tiles(image)
    frames = container.frames
    if kind in _BY_DECODER:
        frames = max(frames, opening.frames(image))
    _check_frames(frames, settings)
    return Picture(
        data=data,
        sha256=sha256(data).hexdigest(),
        format=kind,
        width=width,
        height=height,
        warnings=tuple(_warnings(image, kind, frames, container, polyglot)),
    )


def read_picture(path: Path, settings: Settings) -> Picture:
    """Read the picture in the file at ``path``, as :func:`open_picture` does.

    Also raises :class:`UnmaskError` ``file_not_found`` and, for directories, devices, pipes and
    files without permission, ``file_unreadable``. A file over the byte limit is not read.
    """
    try:
        status = path.stat()
        # Opening a pipe would wait for its writer, and a device may never end.
        if not stat.S_ISREG(status.st_mode):
            raise UnmaskError("file_unreadable", f"{path.name} is not a file.", path=str(path))
        _check_bytes(status.st_size, settings)
        with path.open("rb") as file:
            data = file.read(settings.max_bytes + 1)
    except (FileNotFoundError, NotADirectoryError, ValueError) as fault:
        # A ValueError is a name that no file can have: one with a zero byte in it.
        raise UnmaskError(
            "file_not_found", f"There is no file {path.name}.", path=str(path)
        ) from fault
    except OSError as fault:
        raise UnmaskError(
            "file_unreadable", f"{path.name} cannot be read: {fault.strerror}.", path=str(path)
        ) from fault
    return open_picture(data, settings)


def _check_bytes(count: int, settings: Settings) -> None:
    if count == 0:
        raise UnmaskError("empty_file", "The file is empty. Try to save or send it again.")
    if count > settings.max_bytes:
        limit = settings.max_bytes
        message = f"The file is larger than {limit / 1e6:g} MB. Send a smaller copy."
        raise UnmaskError("too_many_bytes", message, bytes=count, limit=limit)


def _check_layout(container: Layout, kind: str, settings: Settings) -> None:
    _check_frames(container.frames, settings)
    if container.size:
        _check_size(*container.size, settings)
    if container.fault and container.complete:
        message = f"The picture's file {_FAULTS[container.fault]}."
        raise UnmaskError("damaged", message, format=kind, fault=container.fault.value)


def _check_frames(frames: int, settings: Settings) -> None:
    if frames > settings.max_frames:
        limit = settings.max_frames
        message = f"The file holds more than {limit} frames. Send the one that matters."
        raise UnmaskError("too_many_frames", message, frames=frames, limit=limit)


def _check_size(width: int, height: int, settings: Settings) -> None:
    if width * height > settings.max_pixels:
        message = (
            f"The picture has {width} x {height} pixels; "
            f"at most {settings.max_pixels / 1e6:g} million are examined. Send a smaller copy."
        )
        raise UnmaskError(
            "too_many_pixels", message, width=width, height=height, limit=settings.max_pixels
        )
    low, high = settings.min_side, settings.max_side
    if not low <= min(width, height) <= max(width, height) <= high:
        message = f"A side of {width} x {height} pixels is not between {low} and {high}."
        raise UnmaskError(
            "bad_dimensions", message, width=width, height=height, min_side=low, max_side=high
        )


def _check_alone(polyglot: Polyglot) -> None:
    if polyglot.second:
        message = (
            f"The file is a picture and {_SECOND_FILES[polyglot.second]} at once. "
            "Save the picture again and send that."
        )
        raise UnmaskError("polyglot", message, second=polyglot.second)


def _check_preview(image: ImageFile) -> None:
    if opening.is_preview(image):
        message = "Camera raw files are not read. Save it as JPEG or PNG and try again."
        raise UnmaskError("unsupported_format", message, format="camera raw")


def _check_tiles(image: ImageFile) -> None:
    if opening.has_outsized_tiles(image):
        message = "The picture's file has tiles far larger than the picture."
        raise UnmaskError("damaged", message, format="TIFF")


def _warnings(
    image: ImageFile, kind: str, frames: int, container: Layout, polyglot: Polyglot
) -> Iterator[CodedWarning]:
    if frames > 1:
        yield warn(_SEVERAL.get(kind, "some_frames"), number=frames)
    if polyglot.video:
        yield warn("video_left_out")
    if not container.complete:
        yield warn("end_missing")
    if opening.is_turned_by_some(image):
        yield warn("turned_by_some")
