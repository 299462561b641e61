"""What Unmask judges is what Chromium shows: pixels of files of every kind, side by side.

Chromium shows all files on one page, which is photographed on white and on black. Both sides decode
with libraries of their own, so the colours may differ by a few levels of 256: by one or two where
colours are converted or chroma is brought to full size, and by twice that where a saturated colour
was brought into the range of a screen. ``TOLERANCE`` is 6; a curve, a primary or a turn that is
ignored moves some quarter by 10 at the least. In animated AVIF and in the opacity of AVIF, Chromium
156 takes levels of full range for those of limited range: these are held within ``OF_RANGE``. A
JPEG without its end mark is left out: Chromium does not show its last rows, other viewers do.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests import pictures
from tests.pictures import corners, encoded
from tests.unmask.images import animated, coloured
from tests.unmask.images.coloured import P3_XY, P3_XYZ, SRGB_XY, profile, raw_png
from tests.unmask.images.opened import (
    GREYS,
    deep_alpha,
    deep_colour,
    deep_grey,
    palette_picture,
    with_alpha,
)
from unmask.images import open_picture
from unmask.images.sniff import sniff
from unmask.settings import Settings

TOLERANCE = 6
OF_RANGE = 16
#: Places of the files on the page, in pixels, and files in a row.
PLACE, COLUMNS = 80, 16
Make = Callable[[], bytes]
FILES: dict[str, Make] = {}


def half_clear() -> Image.Image:
    """Opaque, half clear, clear and barely clear quarters."""
    image = corners().convert("RGBA")
    alpha = Image.new("L", image.size, 230)
    alpha.paste(255, (0, 0, 32, 24))
    alpha.paste(128, (32, 0, 64, 24))
    alpha.paste(0, (0, 24, 32, 48))
    image.putalpha(alpha)
    return image


def turned(kind: str, orientation: int) -> bytes:
    image, exif = pictures.stored_as(corners(), orientation)
    return encoded(image, kind, exif=exif)


def turned_behind_its_pixels() -> bytes:
    image, exif = pictures.stored_as(corners(), 3)
    return raw_png(image, after=pictures.png_chunk(b"eXIf", exif.removeprefix(b"Exif\0\0")))


def ramp() -> Image.Image:
    """All levels of grey, for the curves of bright pictures."""
    row = np.linspace(0, 255, 64).astype(np.uint8)
    return Image.fromarray(np.repeat(row[None], 48, axis=0)).convert("RGB")


for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF"):
    FILES[f"{kind} colour"] = lambda kind=kind: encoded(corners(), kind)
    FILES[f"{kind} grey"] = lambda kind=kind: encoded(corners().convert("L"), kind)
for kind in ("JPEG", "PNG", "WEBP", "AVIF"):
    for orientation in range(2, 9):
        FILES[f"{kind} orientation {orientation}"] = lambda kind=kind, orientation=orientation: (
            turned(kind, orientation)
        )
    for name, made in {
        "linear": profile(gamma=1.0),
        "linear, named sRGB": profile("sRGB-elle-V2-g10.icc", 1.0),
        "P3": profile("Display P3", None, P3_XYZ),
        "gamma 1.8": profile(gamma=1.8),
        "sRGB": profile("sRGB"),
        "PQ by a code inside": profile(cicp=b"cicp\0\0\0\0" + bytes((1, 16, 0, 1))),
    }.items():
        FILES[f"{kind} profile {name}"] = lambda kind=kind, made=made: encoded(
            corners(), kind, icc_profile=made, quality=95
        )
    FILES[f"{kind} colour profile on grey"] = lambda kind=kind: encoded(
        corners().convert("L"), kind, icc_profile=profile(gamma=1.0)
    )
    FILES[f"{kind} grey profile on grey"] = lambda kind=kind: encoded(
        corners().convert("L"), kind, icc_profile=profile(gamma=1.0, space=b"GRAY")
    )
for kind in ("PNG", "WEBP", "AVIF"):
    FILES[f"{kind} clear quarter"] = lambda kind=kind: with_alpha(kind)
    FILES[f"{kind} half clear"] = lambda kind=kind: encoded(half_clear(), kind, quality=100)
    FILES[f"{kind} half clear with a profile"] = lambda kind=kind: encoded(
        half_clear(), kind, quality=100, icc_profile=profile(gamma=1.0)
    )
FILES |= {
    "JPEG CMYK": lambda: encoded(corners().convert("CMYK"), "JPEG"),
    "JPEG progressive": lambda: encoded(corners(), "JPEG", progressive=True),
    "JPEG as RGB": lambda: encoded(corners(), "JPEG", keep_rgb=True),
    "PNG without an end": lambda: encoded(corners(), "PNG")[:-12],
    "PNG 16 bits": deep_colour,
    "PNG 16 bits, grey": lambda: deep_grey("PNG", "u2"),
    "PNG 16 bits, grey, alpha": deep_alpha,
    "PNG palette": palette_picture,
    "PNG palette, one clear": lambda: palette_picture(clear_red=True),
    "PNG two levels": lambda: encoded(corners().convert("1"), "PNG"),
    "PNG orientation behind the pixels": turned_behind_its_pixels,
    "GIF, one clear": lambda: palette_picture("GIF", clear_red=True),
    "BMP palette": lambda: encoded(corners().convert("P"), "BMP"),
    "BMP two levels": lambda: encoded(corners().convert("1"), "BMP"),
    "BMP half clear": lambda: coloured.bitfields(128),
    "BMP with a profile": lambda: coloured.profiled_bmp(profile(gamma=1.0)),
    "PNG gAMA 1": lambda: raw_png(corners(), coloured.gama(1)),
    "PNG gAMA 1, grey": lambda: raw_png(corners().convert("L"), coloured.gama(1)),
    "PNG gAMA 1/1.8": lambda: raw_png(corners(), coloured.gama(1 / 1.8)),
    "PNG gAMA of sRGB": lambda: raw_png(corners(), coloured.gama(0.45455)),
    "PNG gAMA with cHRM": lambda: raw_png(corners(), coloured.gama(0.45455), coloured.chrm(*P3_XY)),
    "PNG linear with cHRM of sRGB": lambda: raw_png(
        corners(), coloured.gama(1), coloured.chrm(*SRGB_XY)
    ),
    "PNG cHRM alone": lambda: raw_png(corners(), coloured.chrm(*P3_XY)),
    "PNG cHRM of nothing": lambda: raw_png(corners(), coloured.gama(1), coloured.chrm(*[0.0] * 8)),
    "PNG sRGB before gAMA": lambda: raw_png(
        corners(), pictures.png_chunk(b"sRGB", b"\0"), coloured.gama(1)
    ),
    "PNG profile before gAMA": lambda: raw_png(
        corners(), coloured.iccp(profile("P3", None, P3_XYZ)), coloured.gama(1)
    ),
    "PNG cICP before a profile": lambda: raw_png(
        corners(), coloured.cicp(12, 13), coloured.iccp(profile(gamma=1.0))
    ),
    "PNG half clear, cICP": lambda: raw_png(half_clear(), coloured.cicp(12, 13)),
    "PNG palette with gAMA": lambda: with_chunk(palette_picture(), coloured.gama(1)),
    "PNG PQ up to 400": lambda: raw_png(ramp(), coloured.cicp(9, 16), coloured.light_level(400)),
    "PNG PQ up to 4000": lambda: raw_png(ramp(), coloured.cicp(9, 16), coloured.light_level(4000)),
    "AVIF profile before code points": lambda: encoded(
        corners(), "AVIF", quality=100, icc_profile=profile(gamma=1.0)
    ),
    "PNG 16 bits, grey, one clear": lambda: with_chunk(
        deep_grey("PNG", "u2"),
        pictures.png_chunk(b"tRNS", struct.pack(">H", 256 * GREYS[0][0])),
    ),
    "GIF small first frame": animated.gif_with_small_first_frame,
    "APNG hidden default": lambda: animated.apng(animated.WHITE_PAGE, corners()),
    "APNG announced twice": lambda: with_chunk(
        animated.apng(animated.WHITE_PAGE, corners()),
        pictures.png_chunk(b"acTL", struct.pack(">II", 1, 0)),
    ),
    "APNG hidden default, two frames": lambda: animated.apng(
        animated.OTHER, corners(), animated.WHITE_PAGE
    ),
}
for primaries, transfer in [
    *((code, 13) for code in (1, 5, 6, 9, 11, 12, 22)),
    *((1, code) for code in (1, 2, 4, 5, 7, 8, 14, 17)),
    *((primaries, code) for primaries in (1, 9, 12) for code in (16, 18)),
]:
    FILES[f"PNG cICP {primaries}, {transfer}"] = lambda p=primaries, t=transfer: raw_png(
        corners(), coloured.cicp(p, t)
    )
    FILES[f"AVIF nclx {primaries}, {transfer}"] = lambda p=primaries, t=transfer: coloured.coded(
        "AVIF", p, t
    )
for transfer in (16, 18):
    FILES[f"PNG ramp {transfer}"] = lambda t=transfer: raw_png(ramp(), coloured.cicp(9, t))
    FILES[f"AVIF ramp {transfer}"] = lambda t=transfer: coloured.coded("AVIF", 9, t, ramp())
for kind in animated.FORMATS:
    FILES[f"{kind} animation"] = lambda kind=kind: animated.animation(
        kind, corners(), animated.OTHER
    )
    if kind != "AVIF":
        FILES[f"{kind} animation, half clear"] = lambda kind=kind: animated.animation(
            kind, half_clear() if kind != "GIF" else corners().convert("RGBA"), animated.CLEAR_PAGE
        )


def with_chunk(png: bytes, chunk: bytes) -> bytes:
    """A PNG with one more chunk behind its header."""
    return png[:33] + chunk + png[33:]


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {name: make() for name, make in FILES.items()}


@pytest.fixture(scope="module")
def shown(browser: Browser, files: dict[str, bytes]) -> dict[str, tuple[np.ndarray, ...]]:
    """What Chromium shows of each file, on white and on black, uint8 (h, w, 3)."""
    images = ""
    for number, data in enumerate(files.values()):
        left, top = number % COLUMNS * PLACE, number // COLUMNS * PLACE
        source = f"data:image/{sniff(data).lower()};base64,{b64encode(data).decode()}"
        images += f"<img style='position:absolute;left:{left}px;top:{top}px' src='{source}'>"
    rows = len(files) // COLUMNS + 1
    page = browser.new_page(viewport={"width": COLUMNS * PLACE, "height": rows * PLACE})
    page.set_content(images)
    failed = page.evaluate(
        "async () => { const bad = []; let n = 0;"
        " for (const image of document.images) { const number = n++;"
        " await image.decode().catch(() => bad.push(number)); } return bad; }"
    )
    assert [name for number, name in enumerate(files) if number in failed] == []
    sizes = page.evaluate("[...document.images].map(i => [i.naturalWidth, i.naturalHeight])")
    photos = []
    for ground in ("white", "black"):
        page.evaluate("ground => { document.body.style.background = ground; }", ground)
        photos.append(np.asarray(Image.open(BytesIO(page.screenshot())).convert("RGB")))
    page.close()
    places = {}
    for number, (name, (width, height)) in enumerate(zip(files, sizes, strict=True)):
        left, top = number % COLUMNS * PLACE, number // COLUMNS * PLACE
        places[name] = tuple(p[top : top + height, left : left + width] for p in photos)
    return places


def difference(one: np.ndarray, other: np.ndarray) -> int:
    """The greatest difference in the middles of eight by six places, in levels."""
    assert one.shape == other.shape
    height, width = one.shape[:2]
    rows, columns = np.arange(height // 16, height, 8), np.arange(width // 16, width, 8)
    places = np.ix_(rows, columns)
    return int(np.abs(one[places].astype(int) - other[places]).max())


@pytest.mark.parametrize("name", FILES)
def test_the_pixels_are_those_that_chromium_shows(
    name: str, files: dict[str, bytes], shown: dict[str, tuple[np.ndarray, ...]]
) -> None:
    on_white, on_black = shown[name]
    picture = open_picture(files[name], Settings())
    first, *others = picture.appearances()
    is_of_range = picture.format == "AVIF" and ("animation" in name or "half clear" in name)
    tolerance = OF_RANGE if is_of_range else TOLERANCE
    assert (picture.width, picture.height) == on_white.shape[1::-1]
    assert difference(on_white, first.pixels) <= tolerance
    if difference(on_white, on_black) > 2 * tolerance:
        assert min(difference(on_black, other.pixels) for other in others) <= tolerance
        assert "transparent" in [warning.code for warning in first.warnings]
