"""Pictures with metadata in each of the containers, written for the test."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from io import BytesIO
from xml.sax.saxutils import escape

from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from tests.pictures import encoded, photo, png_chunk

SIZE = (96, 64)
#: The containers that each group of fields can be written into.
CONTAINERS = {
    "EXIF": ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"),
    "XMP": ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF", "HEIF"),
    "IPTC": ("JPEG",),
    "PNG": ("PNG",),
}
NAMESPACES = {
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "stEvt": "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "iptcExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "TC260": "http://www.tc260.org.cn/ns/AIGC/1.0/",
}
IPTC_NUMBERS = {"OriginatingProgram": 65, "Credit": 110, "SpecialInstructions": 40}
_TAGS = {name: number for number, name in ExifTags.TAGS.items()}
_EXIF_IFD = ("UserComment", "DateTimeOriginal", "ExposureTime", "FNumber", "LensModel")


def plain(kind: str) -> bytes:
    """A picture of that format without metadata."""
    return encoded(photo(*SIZE), kind)


def marked(kind: str, fields: Mapping[str, str]) -> bytes:
    """A picture of that format with the fields, named as ``unmask.evidence`` names them."""
    groups: dict[str, dict[str, str]] = {}
    for name, value in fields.items():
        group, _, rest = name.partition(":")
        key = "XMP" if group.startswith("XMP") else group
        groups.setdefault(key, {})[f"{group}:{rest}" if key == "XMP" else rest] = value
    return written(
        kind,
        exif=exif(groups["EXIF"]) if "EXIF" in groups else None,
        xmp=xmp(groups["XMP"]) if "XMP" in groups else None,
        texts=groups.get("PNG", {}),
        iptc=iptc(groups["IPTC"]) if "IPTC" in groups else b"",
    )


def written(
    kind: str,
    exif: bytes | None = None,
    xmp: bytes | None = None,
    texts: Mapping[str, str] | None = None,
    iptc: bytes = b"",
) -> bytes:
    """A picture of that format with these blocks of metadata."""
    options: dict[str, object] = {}
    if exif:
        options["exif"] = exif
    if kind == "TIFF" and xmp:
        options["tiffinfo"] = {700: xmp}
    elif kind == "PNG":
        options["pnginfo"] = _texts(texts or {}, xmp)
    elif kind not in ("GIF", "TIFF") and xmp:
        options["xmp"] = xmp
    data = encoded(photo(*SIZE), kind, **options)
    if kind == "GIF" and xmp:
        data = _with_gif_extension(data, b"\xff\x0bXMP DataXMP" + xmp + _gif_trailer())
    return data[:2] + iptc + data[2:] if iptc else data


def exif(fields: Mapping[str, str]) -> bytes:
    block = Image.Exif()
    for name, value in fields.items():
        tags = block.get_ifd(ExifTags.IFD.Exif) if name in _EXIF_IFD else block
        if name == "UserComment":
            tags[_TAGS[name]] = b"UNICODE\0" + value.encode("utf-16-be")
        else:
            tags[_TAGS[name]] = float(value) if name in ("ExposureTime", "FNumber") else value
    return block.tobytes()


def exif_with_thumbnail(thumbnail: bytes) -> bytes:
    """An EXIF block whose second directory holds a JPEG."""
    # header, an empty first directory that leads to the second, and the second with two entries
    first = struct.pack("<HI", 0, 14)
    start = 14 + 2 + 2 * 12 + 4
    second = struct.pack("<H", 2)
    second += struct.pack("<HHII", 0x0201, 4, 1, start)
    second += struct.pack("<HHII", 0x0202, 4, 1, len(thumbnail)) + bytes(4)
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + first + second + thumbnail


def xmp(fields: Mapping[str, str]) -> bytes:
    """A packet with each field as an element of one description."""
    body = ""
    for name, value in fields.items():
        prefix, _, rest = name.removeprefix("XMP-").partition(":")
        first, _, member = rest.partition(".")
        text = escape(value)
        if member:
            inner = f"<stEvt:{member}>{text}</stEvt:{member}>"
            text = f'<rdf:Seq><rdf:li rdf:parseType="Resource">{inner}</rdf:li></rdf:Seq>'
        body += f"<{prefix}:{first}>{text}</{prefix}:{first}>"
    return packet(f'<rdf:Description rdf:about="">{body}</rdf:Description>')


def packet(descriptions: str) -> bytes:
    """A packet around descriptions, all namespaces declared."""
    names = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    rdf = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {rdf} {names}>{descriptions}'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def iptc(fields: Mapping[str, str]) -> bytes:
    """A JPEG's segment with Photoshop's resource that holds IPTC."""
    record = b""
    for name, value in fields.items():
        text = value.encode()
        record += struct.pack(">BBBH", 0x1C, 2, IPTC_NUMBERS[name], len(text)) + text
    body = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(record)) + record
    return b"\xff\xed" + struct.pack(">H", len(body) + 2) + body


def jpeg_segment(code: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, code, len(body) + 2) + body


def png_with(*chunks: bytes) -> bytes:
    """A PNG with the chunks before its end."""
    data = plain("PNG")
    return data[:-12] + b"".join(chunks) + data[-12:]


def itxt(key: str, text: bytes) -> bytes:
    return png_chunk(b"iTXt", key.encode() + b"\0\0\0\0\0" + text)


def _texts(texts: Mapping[str, str], packet_: bytes | None) -> PngInfo:
    info = PngInfo()
    for key, value in texts.items():
        info.add_text(key, value)
    if packet_:
        info.add_itxt("XML:com.adobe.xmp", packet_.decode())
    return info


def _with_gif_extension(data: bytes, extension: bytes) -> bytes:
    screen = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 128 else 0)
    return data[:screen] + b"!" + extension + data[screen:]


def _gif_trailer() -> bytes:
    """What lets readers of sub-blocks find the end of XMP that is not in sub-blocks."""
    return b"\x01" + bytes(range(255, -1, -1)) + b"\0"


def reopened(data: bytes) -> Image.Image:
    """The picture as Pillow reads it: a test's file must be sound."""
    image = Image.open(BytesIO(data))
    image.load()
    return image
