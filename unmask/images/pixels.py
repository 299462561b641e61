"""Pillow's side of reading a picture: parse its header, decode it, and bring it to upright RGB.

The classes of Pillow's plugins are called directly, one for each format that is read. So no other
decoder can be reached, HEIF need not be registered with Pillow, and no global switch of Pillow's
is touched: the limits on size are tested by the caller between :func:`parse` and :func:`decode`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pi_heif import HeifImageFile
from PIL import Image, ImageCms
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

#: What brings a picture stored with each EXIF orientation upright; 1 is upright already.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = frozenset({5, 6, 7, 8})

#: Modes that colour profiles exist for; every other one becomes RGB first.
_MANAGED = frozenset({"RGB", "CMYK", "L", "LAB"})
_MAX_PROFILE = 4_000_000
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
    with _named_errors(data, kind):
        image = _OPENERS[kind](BytesIO(data))
        # Pillow would turn a TIFF by its XMP too, which no viewer does and the header's size lacks.
        image.info.pop("xmp", None)
        return image


def upright_size(image: ImageFile) -> tuple[int, int]:
    """Width and height in pixels as shown, that is, with the EXIF orientation applied."""
    width, height = image.size
    return (height, width) if _orientation(image) in _ON_ITS_SIDE else (width, height)


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


def decode(data: bytes, kind: str, shrink: int) -> NDArray[np.uint8]:
    """Decode to upright RGB, (h, w, 3); see :meth:`unmask.images.Picture.pixels`."""
    image = parse(data, kind)
    with _named_errors(data, kind):
        if kind == "JPEG" and shrink > 1:
            image.draft(None, (max(image.width // shrink, 1), max(image.height // shrink, 1)))
        # Both are read first: decoding may drop them.
        promised, turn = upright_size(image), _UPRIGHT.get(_orientation(image))
        image.load()
        rgb = _rgb(image)
        del image  # a large picture is in memory twice as it is
        rgb = rgb.transpose(turn) if turn is not None else rgb
        if rgb.size != promised:
            raise ValueError(f"the header says {promised}, the data {rgb.size}")
        return np.array(rgb)


@contextmanager
def _named_errors(data: bytes, kind: str) -> Iterator[None]:
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


def _orientation(image: ImageFile) -> int:
    """The EXIF orientation that is still to be applied, 1 to 8; 1 where EXIF is missing or broken.

    Pillow turns a TIFF itself and pillow-heif a HEIF, and both then leave no EXIF that says so.
    """
    exif = image.info.get("exif")
    if not exif:
        return 1
    tags = Image.Exif()
    try:
        tags.load(exif)
        value = tags.get(ExifTag.Orientation, 1)
    except Exception:
        return 1
    return value if value in _UPRIGHT else 1


def _rgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _eight_bits(image)
    elif image.has_transparency_data:
        image = _on_white(image)
    elif image.mode not in _MANAGED:
        image = image.convert("RGB")
    if profile or image.mode == "LAB":
        image = _in_srgb(image, profile)
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale deep grey to 8 bits: by its type's range where that is known, else by its values."""
    values: NDArray[Any] = np.asarray(image)
    if values.dtype.kind == "u":
        return Image.fromarray((values >> 8).astype(np.uint8))
    values = np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if low >= 0:
        # Floats are mostly 0 to 1; integers are mostly 16 bits in a wider type.
        ranges = (1.0, 255.0, 65_535.0) if image.mode == "F" else (65_535.0,)
        low, high = 0.0, next((top for top in ranges if high <= top), high)
    scaled = (values - low) * np.float32(255.0 / max(high - low, 1e-12))
    return Image.fromarray((scaled + 0.5).astype(np.uint8))


def _on_white(image: Image.Image) -> Image.Image:
    image = image if image.mode == "RGBA" else image.convert("RGBA")
    page = Image.new("RGB", image.size, "white")
    page.paste(image, mask=image.getchannel("A"))
    return page


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert from the embedded profile to sRGB. A profile that is broken or of another colour
    space than the picture is ignored, as every viewer does."""
    try:
        source = ImageCms.createProfile("LAB") if image.mode == "LAB" else _embedded(profile)
        wanted = ImageCms.ImageCmsProfile(source)
        if "sRGB" in (wanted.profile.profile_description or ""):
            return image
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, wanted, srgb, outputMode="RGB") or image
    except Exception:
        return image


def _embedded(profile: bytes | None) -> BytesIO:
    if not profile or len(profile) > _MAX_PROFILE:
        raise ValueError("the colour profile is too large to be one")
    return BytesIO(profile)
