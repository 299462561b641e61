"""Pillow's side of opening a picture: its header, and the errors of its decoders by our names.

The classes of Pillow's plugins are called directly, one for each format that is read. So no other
decoder can be reached, HEIF need not be registered with Pillow, and no global switch of Pillow's
is touched: the limits on size are tested by the caller between :func:`parse` and decoding.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO

import numpy as np
from pi_heif import HeifImageFile
from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ExifTags import Base as ExifTag
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from unmask.errors import UnmaskError
from unmask.images.layout import layout

_OPENERS: dict[str, Callable[[BytesIO], ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "GIF": GifImageFile,
    "WEBP": WebPImageFile,
    "BMP": BmpImageFile,
    "TIFF": TiffImageFile,
    "AVIF": AvifImageFile,
    "HEIF": HeifImageFile,
}

_ON_ITS_SIDE = frozenset({5, 6, 7, 8})

#: What brings the levels of a grey PNG of few bits to 8 bits, by Pillow's names.
_FEW_BITS = {"L;2": 85, "L;4": 17}
#: Tags of a TIFF in tiles, and the pixels that a tile may have in any picture.
_TILE_WIDTH, _TILE_LENGTH, _USUAL_TILE = 322, 323, 2_048 * 2_048

#: Messages of Pillow and libheif about sound files in a variant that they do not read.
_NOT_READ = re.compile(r"unsupported|cannot handle|unknown pixel mode", re.IGNORECASE)

#: Tags of a camera raw file, whose first page is only a preview: DNGVersion, NewSubfileType.
_DNG_VERSION, _SUBFILE_TYPE = 0xC612, 0xFE


# Pillow warns of each odd tag in a file; a stranger's file must not write to our logs.
warnings.filterwarnings("ignore", module=r"PIL\.")


def parse(data: bytes, kind: str) -> ImageFile:
    """Parse the header of ``data``; nothing is decoded.

    Raises :class:`UnmaskError` ``truncated``, ``damaged`` or ``unsupported_format``.
    """
    with named_errors(data, kind):
        image = _OPENERS[kind](BytesIO(data))
        # Pillow would turn a TIFF by its XMP too, which no viewer does and the header's size lacks.
        image.info.pop("xmp", None)
        _scale_transparency(image)
        return image


def _scale_transparency(image: ImageFile) -> None:
    """Bring the transparent level of a grey PNG of 2 or 4 bits to the 8 bits that it is decoded to,
    which Pillow leaves as it is in the file."""
    level = image.info.get("transparency")
    if not isinstance(image, PngImageFile) or image.mode != "L" or not isinstance(level, int):
        return
    form = image.tile[0].args if image.tile else None
    if form in _FEW_BITS:
        image.info["transparency"] = min(level * _FEW_BITS[form], 255)


def upright_size(image: ImageFile) -> tuple[int, int]:
    """Width and height in pixels as shown, that is, with the EXIF orientation applied."""
    width, height = image.size
    return (height, width) if orientation(image) in _ON_ITS_SIDE else (width, height)


def frames(image: ImageFile) -> int:
    """How many frames an AVIF or pictures a HEIF holds, by its header."""
    return int(getattr(image, "n_frames", 1))


def has_outsized_tiles(image: ImageFile) -> bool:
    """Whether a TIFF's tiles are far larger than itself: its decoder makes room for a whole one,
    however few pixels of it show."""
    if not isinstance(image, TiffImageFile):
        return False
    wide, high = (np.max(image.tag_v2.get(tag, 0)) for tag in (_TILE_WIDTH, _TILE_LENGTH))
    return float(wide) * float(high) > max(_USUAL_TILE, 4 * image.width * image.height)


def is_preview(image: ImageFile) -> bool:
    """Whether this is only the preview that a camera raw file (DNG, NEF, ...) begins with."""
    if not isinstance(image, TiffImageFile):
        return False
    return _DNG_VERSION in image.tag_v2 or image.tag_v2.get(_SUBFILE_TYPE) == 1


@contextmanager
def named_errors(data: bytes, kind: str) -> Iterator[None]:
    """Turn every exception of a decoder into an error of our own."""
    try:
        yield
    except UnmaskError:
        raise
    except Image.DecompressionBombError as fault:
        raise UnmaskError("too_many_pixels", "The picture has too many pixels.") from fault
    except Exception as fault:
        raise _named(str(fault), data, kind) from fault


def _named(reason: str, data: bytes, kind: str) -> UnmaskError:
    """The error of our own for the message of a decoder."""
    # Decoders name their errors as they please: the broken container is the better witness.
    if "truncated" in reason.lower() or not layout(data, kind).complete:
        message = "The picture ends before its data does. Try to save or send it again."
        return UnmaskError("truncated", message, format=kind)
    if _NOT_READ.search(reason):
        message = f"This kind of {kind} is not read. Save it as JPEG or PNG and try again."
        return UnmaskError("unsupported_format", message, format=kind)
    message = "The picture's data is damaged and cannot be decoded. Try another copy of it."
    return UnmaskError("damaged", message, format=kind)


def orientation(image: ImageFile) -> int:
    """The EXIF orientation that is still to be applied, 1 to 8; 1 where EXIF is missing or broken.

    Pillow turns a TIFF itself and pi-heif a HEIF, and both then leave no EXIF that says so. A WebP
    is shown as it is stored by browsers.
    """
    return 1 if isinstance(image, WebPImageFile) else _stated_orientation(image)


def is_turned_by_some(image: ImageFile) -> bool:
    """Whether some viewers turn a picture that browsers show as it is stored."""
    return isinstance(image, WebPImageFile) and _stated_orientation(image) != 1


def _stated_orientation(image: ImageFile) -> int:
    exif = image.info.get("exif")
    if not exif:
        return 1
    tags = Image.Exif()
    try:
        tags.load(exif)
        value = tags.get(ExifTag.Orientation, 1)
    except Exception:
        return 1
    return value if value in range(1, 9) else 1
