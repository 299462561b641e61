"""The containers of pictures as iterators of segments, without decoding and without copies.

``walk`` gives the segments of a file of any format that is read; each format has a module of its
own. Sizes, metadata and what follows a picture are all read from these segments.
"""

from __future__ import annotations

from collections.abc import Callable

from unmask.images.containers import bmp, gif, isobmff, jpeg, png, tiff, webp
from unmask.images.containers.segments import Bytes, Fault, Segment, Segments, Walk

__all__ = ["Fault", "Segment", "Walk", "walk"]

_READERS: dict[str, Callable[[Bytes, int], Segments]] = {
    "JPEG": jpeg.segments,
    "PNG": png.segments,
    "GIF": gif.segments,
    "WEBP": webp.segments,
    "BMP": bmp.segments,
    "TIFF": tiff.segments,
    "AVIF": isobmff.segments,
    "HEIF": isobmff.segments,
}


def walk(data: Bytes, kind: str, start: int = 0) -> Walk:
    """The segments of the file of the format ``kind`` (as ``sniff`` names it) at ``start``.

    Never raises: a damaged container ends the iteration, and :attr:`Walk.fault` names why.
    """
    return Walk(_READERS[kind](data, start))
