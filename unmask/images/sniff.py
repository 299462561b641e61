"""The picture format of bytes, by their magic bytes alone: names and claimed types do not count.

Nothing is parsed here, so no decoder of an unwanted format ever sees a stranger's bytes.
"""

from __future__ import annotations

from unmask.errors import UnmaskError
from unmask.images.containers import png
from unmask.images.containers.isobmff import brands

#: Formats by their first bytes; the three container families are distinguished below.
_READ: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (png.SIGNATURE, "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
)

#: Picture formats that are recognised and not read.
_REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"8BPS", "PSD"),
    (b"\0\0\1\0", "ICO"),
    (b"\0\0\2\0", "CUR"),
    (b"%!PS", "EPS"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"DDS ", "DDS"),
    (b"\n\0\1", "PCX"),
    (b"\n\2\1", "PCX"),
    (b"\n\3\1", "PCX"),
    (b"\n\5\1", "PCX"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"II\xbc\1", "JPEG XR"),
    (b"qoif", "QOI"),
    (b"icns", "ICNS"),
    (b"gimp xcf", "XCF"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"SIMPLE  =", "FITS"),
    (b"/* XPM */", "XPM"),
    (b"\x59\xa6\x6a\x95", "Sun raster"),
    (b"\x01\xda\0\1", "SGI"),
    (b"\x01\xda\1\1", "SGI"),
    (b"\xd7\xcd\xc6\x9a", "WMF"),
    (b"BLP1", "BLP"),
    (b"BLP2", "BLP"),
    (b"AT&TFORM", "DjVu"),
    (b"FUJIFILMCCD-RAW", "camera raw"),
    (b"IIU\0", "camera raw"),
    (b"IIRO", "camera raw"),
    *((b"P%d%c" % (kind, gap), "PNM") for kind in range(1, 8) for gap in b"\n\r\t "),
)

_BMP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)


def sniff(data: bytes) -> str:
    """Return the name of the picture format that ``data`` is in.

    Raises :class:`UnmaskError` ``unsupported_format`` for a picture format that is not read and
    ``not_a_picture`` for everything else.
    """
    name = _starting_with(data, _READ) or _by_container(data)
    if name:
        return _not_raw(data, name)
    other = _refused(data)
    if other:
        raise _unsupported(other)
    raise UnmaskError(
        "not_a_picture",
        "This file is not a picture. Send a JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC.",
    )


def _starting_with(data: bytes, table: tuple[tuple[bytes, str], ...]) -> str | None:
    return next((name for magic, name in table if data.startswith(magic)), None)


def _by_container(data: bytes) -> str | None:
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    return _by_brand(brands(data))


def _by_brand(names: list[bytes]) -> str | None:
    # A video may list picture brands as compatible, so the major brand must be a picture's.
    if not names or names[0] not in _AVIF_BRANDS | _HEIF_BRANDS:
        return None
    if names[0] in (b"mif1", b"msf1"):
        return "AVIF" if _AVIF_BRANDS.intersection(names) else "HEIF"
    return "AVIF" if names[0] in _AVIF_BRANDS else "HEIF"


def _refused(data: bytes) -> str | None:
    if data[4:12] == b"ftypcrx ":
        return "camera raw"
    if data[-18:] == b"TRUEVISION-XFILE.\0":
        return "TGA"
    if data[128:132] == b"DICM":
        return "DICOM"
    return _starting_with(data, _REFUSED)


def _not_raw(data: bytes, name: str) -> str:
    # Canon's CR2 is built as a TIFF whose first page is a mere preview.
    if name == "TIFF" and data[8:11] == b"CR\2":
        raise _unsupported("camera raw")
    return name


def _unsupported(name: str) -> UnmaskError:
    return UnmaskError(
        "unsupported_format",
        f"Pictures in the format {name} are not read. Save it as JPEG or PNG and try again.",
        format=name,
    )
