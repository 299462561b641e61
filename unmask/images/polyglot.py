"""A second file inside a picture's file: an archive, a page, a script, a program.

Only the places are searched where another program would look for such a file: the first kilobyte
(PDF readers and browsers), the bytes after the picture's end, and the end of the file (archives
are read from there). Compressed data is never searched, and what phones usually append passes:
further JPEGs (MPF, gain maps), videos (motion photos) and the makers' own trailers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from struct import unpack_from

from unmask.images.containers import walk
from unmask.images.layout import Layout

_FRONT = 1024
#: Searched in place of what follows the picture, where the format does not say where that is.
_BACK = 4096
_MAX_EMBEDDED = 16
#: A zip's last record is 22 bytes and a comment of at most 65535.
_ZIP_RECORD, _ZIP_REACH = 22, 22 + 65_535

_PADDING = re.compile(rb"[\0\t\n\r ]*")
#: Long enough not to occur by chance, so looked for anywhere in what follows the picture.
_MARKUP = re.compile(rb"<(?:(?P<page>(?i:!doctype html|html))|(?P<script>(?i:script|\?php)))")
_MARKS = {b"%PDF-": "PDF", b"Rar!\x1a\x07": "archive", b"7z\xbc\xaf\x27\x1c": "archive"}
#: Short, so looked for only where the next file would begin.
_FIRST = re.compile(
    rb"(?P<archive>PK\x03\x04|\x1f\x8b\x08|\xfd7zXZ\0|BZh[1-9]1AY)"
    rb"|(?P<program>\x7fELF|\xca\xfe\xba\xbe|\xcf\xfa\xed\xfe|MZ)"
    rb"|(?P<script>#!\s?/|\*/)|(?P<page><svg|<\?xml-stylesheet)"
    rb"|(?P<document>\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1|\{\\rtf|%!PS)"
)


@dataclass(frozen=True)
class Polyglot:
    """What lies beside a picture in its file.

    ``second`` names the kind of the second file, if there is one; ``video`` says that the short
    video of a motion photo follows the picture, which is no fault.
    """

    second: str | None
    video: bool


def find_polyglot(data: bytes, layout: Layout) -> Polyglot:
    """Look for a second file in ``data``, a picture of the given layout. Never raises."""
    if layout.end is None:
        start, video = max(len(data) - _BACK, 0), False
    else:
        start, video = _after_known_parts(data, layout.end)
    second = _beginning_at(data, start) if layout.end is not None else None
    second = second or _anywhere(data, start, len(data)) or _anywhere(data, 0, _FRONT)
    if not second and _ends_as_zip(data):
        second = "archive"
    video = video or layout.video or data.find(b"MotionPhoto_Data", start) >= 0
    return Polyglot(second, video)


def _beginning_at(data: bytes, start: int) -> str | None:
    match = _FIRST.match(data, start)
    if not match or (match.lastgroup == "program" and not _is_program(data, start)):
        return None
    return match.lastgroup


def _anywhere(data: bytes, start: int, end: int) -> str | None:
    match = _MARKUP.search(data, start, end)
    if match:
        return match.lastgroup
    return next((kind for mark, kind in _MARKS.items() if data.find(mark, start, end) >= 0), None)


def _after_known_parts(data: bytes, end: int) -> tuple[int, bool]:
    """The offset after padding, further JPEGs and videos, and whether there was a video."""
    video = False
    for _ in range(_MAX_EMBEDDED):
        match = _PADDING.match(data, end)
        start = match.end() if match else end
        # The zeros that begin a box's length were taken for padding: look for its name instead.
        name = data.find(b"ftyp", start, start + 8)
        if data.startswith(b"\xff\xd8\xff", start):
            end = walk(data, "JPEG", start).finish().end or len(data)
        elif name - 4 >= end:
            end, video = walk(data, "HEIF", name - 4).finish().end or len(data), True
        else:
            return start, video
    return end, video


def _is_program(data: bytes, start: int) -> bool:
    """``MZ`` are only two letters: a Windows program also points to its second header."""
    if not data.startswith(b"MZ", start):
        return True
    if start + 64 > len(data):
        return False
    (header,) = unpack_from("<I", data, start + 60)
    return data.startswith(b"PE\0\0", start + header)


def _ends_as_zip(data: bytes) -> bool:
    """Whether an archive program, which reads from the end, would find a zip in the file."""
    reach = max(len(data) - _ZIP_REACH, 0)
    at = data.rfind(b"PK\5\6", reach)
    while at >= 0:
        if at + _ZIP_RECORD <= len(data):
            entries, size = unpack_from("<HI", data, at + 10)
            directory = at - size
            whole = directory >= 0 and data.startswith(b"PK\1\2", directory)
            if (entries and whole) or data.startswith(b"PK\6\7", max(at - 20, 0)):
                return True
        at = data.rfind(b"PK\5\6", reach, at)
    return False
