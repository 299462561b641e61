"""What a file says of its colours: by a profile, by code points, or by gamma and chromaticities."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from struct import unpack

from unmask.images.colour.cicp import (
    BT709_LIKE,
    PRIMARIES,
    SRGB,
    TRANSFERS,
    Chromaticities,
    Curve,
    gamma,
    srgb,
)
from unmask.images.containers import Segment, isobmff, walk
from unmask.images.containers.segments import fields

#: Tags of an ICC profile are looked for among so many.
_MAX_TAGS = 100


@dataclass(frozen=True)
class Signalling:
    """The colours of a file.

    ``profile`` is an ICC profile that goes before the rest; ``chromaticities`` and ``curve`` say
    what red, green, blue and the numbers between mean; ``transfer`` is the curve's code point, 0
    where it has none; ``peak`` is the brightest light in cd/m2 of a picture in PQ.
    """

    profile: bytes | None = field(default=None, repr=False)
    chromaticities: Chromaticities = SRGB
    curve: Curve = srgb
    transfer: int = 0
    peak: float = 1000.0


def signalling(data: bytes, kind: str, profile: bytes | None) -> Signalling:
    """Read the colours of a file of the format ``kind`` whose decoder gave out ``profile``.

    In a PNG cICP goes before a profile, that before sRGB, and that before gAMA with cHRM; in
    AVIF and HEIF a profile goes before nclx. Never raises.
    """
    if kind == "PNG":
        return _of_png(data, profile)
    if kind == "BMP":
        profile = _in_bmp(data)
    coded = _of_profile(profile)
    if coded or profile or kind not in ("AVIF", "HEIF"):
        return coded or Signalling(profile)
    return _of_items(data)


def _in_bmp(data: bytes) -> bytes | None:
    """The profile of a BMP, which its decoder does not give out."""
    profile = next((part for part in walk(data, "BMP") if part.tag == "profile"), None)
    return bytes(profile.payload) if profile else None


def _coded(primaries: int, transfer: int) -> Signalling:
    return Signalling(
        chromaticities=PRIMARIES.get(primaries, SRGB),
        curve=TRANSFERS.get(transfer, srgb),
        transfer=transfer,
    )


def _of_profile(profile: bytes | None) -> Signalling | None:
    """The code points inside a profile (ICC.1:2022, cicpType), which then speak for it."""
    count = fields(">I", profile, 128) if profile else None
    if not profile or not count:
        return None
    for number in range(min(count[0], _MAX_TAGS)):
        tag = fields(">4sII", profile, 132 + 12 * number)
        if tag and tag[0] == b"cicp":
            codes = fields(">4s4xBB", profile, tag[1])
            return _coded(*codes[1:]) if codes and codes[0] == b"cicp" else None
    return None


def _of_png(data: bytes, profile: bytes | None) -> Signalling:
    chunks: dict[str, memoryview] = {}
    for chunk in walk(data, "PNG"):
        if chunk.tag == "IDAT":
            break
        chunks.setdefault(chunk.tag, chunk.payload)
    if len(chunks.get("cICP", b"")) == 4:
        coded = _coded(*chunks["cICP"][:2])
        return replace(coded, peak=_png_peak(chunks) or coded.peak)
    if profile or "sRGB" in chunks:
        return _of_profile(profile) or Signalling(profile)
    encoding = fields(">I", chunks.get("gAMA", b""))
    if not encoding or not encoding[0]:
        return Signalling()
    # Browsers heed the chromaticities only where there is a gamma too.
    primaries = fields(">8I", chunks.get("cHRM", b""))
    curve = gamma(100_000 / encoding[0])
    if not primaries:
        return Signalling(curve=curve)
    white, colours = primaries[:2], primaries[2:]
    shares = tuple(value / 100_000 for value in (*colours, *white))
    return Signalling(chromaticities=shares, curve=curve)


def _png_peak(chunks: dict[str, memoryview]) -> float | None:
    content = fields(">I", chunks.get("cLLI", b""))
    mastering = fields(">16xI", chunks.get("mDCV", b""))
    return next((value[0] / 10_000 for value in (content, mastering) if value and value[0]), None)


def _of_items(data: bytes) -> Signalling:
    """The colours of the primary item of an ISO media file."""
    meta = next((box for box in walk(data, "HEIF") if box.tag == "meta"), None)
    if not meta:
        return Signalling()
    properties = isobmff.primary_properties(meta)
    nclx = next((box for box in properties if _is_nclx(box)), None)
    if not nclx or len(nclx.payload) < 8:
        return Signalling()
    primaries, transfer = unpack(">HH", nclx.payload[4:8])
    coded = _coded(primaries, transfer)
    if transfer in BT709_LIKE:  # in these formats browsers take it for the curve of sRGB
        return replace(coded, curve=srgb)
    return replace(coded, peak=_item_peak(properties) or coded.peak)


def _is_nclx(box: Segment) -> bool:
    return box.tag == "colr" and bytes(box.payload[:4]) == b"nclx"


def _item_peak(properties: list[Segment]) -> float | None:
    boxes = {box.tag: box.payload for box in properties}
    content = fields(">H", boxes.get("clli", b""))
    mastering = fields(">16xI", boxes.get("mdcv", b""))
    if content and content[0]:
        return float(content[0])
    return mastering[0] / 10_000 if mastering and mastering[0] else None
