"""What a file that is no picture is, by its first bytes."""

from __future__ import annotations

from bot.replies.refusals import Refused

#: ISO media files of these major brands hold sound alone.
_SOUND_BRANDS = (b"M4A ", b"M4B ", b"M4P ")
_SOUND = (b"ID3", b"fLaC", b"OggS", b"#!AMR", b"MThd", b"FORM")
#: Matroska and WebM, Flash, MPEG and Windows Media.
_VIDEO = (b"\x1a\x45\xdf\xa3", b"FLV\x01", b"\0\0\1\xba", b"\0\0\1\xb3", b"\x30\x26\xb2\x75")
_RIFF = {b"AVI ": Refused.VIDEO, b"WAVE": Refused.SOUND}


def refusal_of(data: bytes) -> Refused | None:
    """What the bytes of a file that is no picture are: a video, sound, or None for all else."""
    if data[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):
        return Refused.SOUND if data[8:12] in _SOUND_BRANDS else Refused.VIDEO
    if data.startswith(b"RIFF"):
        return _RIFF.get(data[8:12])
    if data.startswith(_VIDEO):
        return Refused.VIDEO
    # An MPEG audio frame: eleven bits that are set, then layer III, layer II, or AAC's header. (All
    # bits of layer I are those of a text in UTF-16.)
    is_frame = data[:1] == b"\xff" and (data[1:2] or b"\0")[0] & 0xE6 in (0xE2, 0xE4, 0xE0)
    return Refused.SOUND if is_frame or data.startswith(_SOUND) else None
