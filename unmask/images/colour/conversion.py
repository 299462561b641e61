"""Pixels of any signalled colours -> sRGB.

Pictures in PQ and HLG are brighter than a screen's white. They are brought into its range as
Chromium does, by the reference white tone mapping of SMPTE ST 2094-50.
"""

from __future__ import annotations

from functools import cache, lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unmask.images.colour.cicp import BT2020, HLG, PQ, SRGB, Chromaticities, Floats, srgb
from unmask.images.colour.signalling import Signalling

_Matrix = NDArray[np.float64]

_MAX_PROFILE = 4_000_000
#: Bytes of a profile up to which it is remembered what it does.
_KEPT_PROFILE = 32_768
#: Levels, of 256, by which a profile may move a colour and still be that of sRGB.
_SAME = 1
#: Pixels that are converted at a time: each takes some sixty bytes while it is.
_STRIP = 1 << 20
#: Light of a picture's white in cd/m2 (ITU-R BT.2408), and of the brightest in HLG.
_WHITE, _HLG_PEAK = 203.0, 1000.0
#: How far the control point of the tone curve lies from its knee towards its end.
_BEND = 0.65
_STEPS = 65_535

_BRADFORD: _Matrix = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def in_srgb(image: Image.Image, colours: Signalling, *, in_place: bool = False) -> Image.Image:
    """``image`` (L, RGB, CMYK or LAB) as sRGB in mode RGB; ``in_place`` lets its pixels be changed,
    which spares a copy of a large picture.

    A profile that is broken or of another colour space than the picture is ignored, and so is all
    that comes with primaries that span no colours: browsers do the same.
    """
    if image.mode == "LAB" or colours.profile:
        return _in_rgb(_by_profile(image, colours.profile, in_place))
    image = _in_rgb(image)
    is_bright = colours.transfer in (PQ, HLG)
    matrix = _between(colours.chromaticities, BT2020 if is_bright else SRGB)
    if matrix is None:
        return image
    if is_bright or not np.allclose(matrix, np.eye(3), atol=1e-3):
        return _converted(image, colours, matrix)
    if colours.curve is srgb:
        return image
    levels = _encoded(_curve(colours))
    return image.point([int(level) for level in levels] * 3)


def _in_rgb(image: Image.Image) -> Image.Image:
    """The picture in mode RGB: itself where it is, since Pillow's conversion would copy it."""
    return image if image.mode == "RGB" else image.convert("RGB")


def _by_profile(image: Image.Image, profile: bytes | None, in_place: bool) -> Image.Image:
    from PIL import ImageCms  # here, since LittleCMS takes long to load, and many never need it

    try:
        embedded = b"" if image.mode == "LAB" else _embedded(profile)
        source = BytesIO(embedded) if embedded else ImageCms.createProfile("LAB")
        wanted = ImageCms.ImageCmsProfile(source)
        if image.mode == "L" and wanted.profile.xcolor_space.strip() == "RGB":
            image = image.convert("RGB")
        if image.mode == "RGB":
            is_srgb = _known_as_srgb if len(embedded) <= _KEPT_PROFILE else _is_srgb
            if is_srgb(embedded):
                return image
        target = ImageCms.createProfile("sRGB")
        if in_place and image.mode == "RGB" and not image.readonly:
            ImageCms.profileToProfile(image, wanted, target, inPlace=True)
            return image
        return ImageCms.profileToProfile(image, wanted, target, outputMode="RGB") or image
    except Exception:
        return image


def _embedded(profile: bytes | None) -> bytes:
    if not profile or len(profile) > _MAX_PROFILE:
        raise ValueError("the colour profile is too large to be one")
    return profile


def _is_srgb(profile: bytes) -> bool:
    """Whether a profile leaves colours as they are, by what it does; a name proves nothing.

    Asked only of profiles of three curves and a matrix, which a few colours describe.
    """
    from PIL import ImageCms

    wanted = ImageCms.ImageCmsProfile(BytesIO(profile))
    if not wanted.profile.is_matrix_shaper:
        return False
    colours = _probe()
    target = ImageCms.createProfile("sRGB")
    moved: Any = ImageCms.profileToProfile(colours, wanted, target, outputMode="RGB")
    return bool(np.abs(np.asarray(moved, int) - np.asarray(colours, int)).max() <= _SAME)


#: The same, remembered: photographs share few profiles.
_known_as_srgb = lru_cache(maxsize=64)(_is_srgb)


@cache
def _probe() -> Image.Image:
    """Every level of grey and of each channel, and the mixtures of five levels of each."""
    ramp = np.arange(256, dtype=np.uint8)
    zeros = np.zeros_like(ramp)
    rows = [(ramp, ramp, ramp), (ramp, zeros, zeros), (zeros, ramp, zeros), (zeros, zeros, ramp)]
    curves = np.concatenate([np.stack(row, axis=1) for row in rows])
    few = np.array([0, 64, 128, 192, 255], np.uint8)
    mixtures = np.stack(np.meshgrid(few, few, few), axis=-1).reshape(-1, 3)
    return Image.fromarray(np.concatenate([curves, mixtures])[None])


def _converted(image: Image.Image, colours: Signalling, matrix: _Matrix) -> Image.Image:
    """Convert strip by strip, so that a large picture is never in memory as floats."""
    pixels = np.array(image)
    curve, source = _curve(colours), np.float32(matrix.T)
    is_bright = colours.transfer in (PQ, HLG)
    back = np.float32(_or_same(_between(BT2020, SRGB)).T)
    luminance = np.float32(_to_xyz(colours.chromaticities)[1])
    rows = max(_STRIP // pixels.shape[1], 1)
    for start in range(0, len(pixels), rows):
        light = curve[pixels[start : start + rows]]
        if colours.transfer == HLG:
            # The system gamma of BT.2100, from light in the scene to light on the screen.
            scene = np.maximum(light @ luminance, 0) * np.float32(_WHITE / _HLG_PEAK)
            light *= np.power(scene, np.float32(0.2))[..., None]
        light = light @ source
        if is_bright:
            peak = colours.peak if colours.transfer == PQ else _HLG_PEAK
            light = _toned(light, peak) @ back
        pixels[start : start + rows] = _encoded(light)
    return Image.fromarray(pixels)


def _curve(colours: Signalling) -> Floats:
    """Light for each of 256 levels, where 1 is white."""
    light = colours.curve(np.linspace(0, 1, 256, dtype=np.float32))
    scale = {PQ: 10_000 / _WHITE, HLG: _HLG_PEAK / _WHITE}.get(colours.transfer, 1.0)
    return (light * scale).astype(np.float32)


def _toned(light: Floats, peak: float) -> Floats:
    """Bring light, (..., 3) in the primaries of BT.2020 with 1 for white, into 0 to 1.

    One gain for the three channels, from the greatest of them: up to white a straight line, then a
    quadratic Bézier curve to the peak.
    """
    end = max(peak / _WHITE, 1.001)
    knee = 1 - 0.5 * min(np.log2(end) / np.log2(1000 / _WHITE), 1)
    middle = (1 - _BEND) + _BEND / knee, (1 - _BEND) * knee + _BEND
    greatest = np.clip(light.max(axis=-1), np.float32(1e-6), None)
    square, linear = 1 - 2 * middle[0] + end, 2 * (middle[0] - 1)
    above = np.clip(greatest - 1, 0, end - 1)
    t = (np.sqrt(linear**2 + 4 * square * above) - linear) / (2 * square)
    t = np.clip(t, 0, 1)
    curve = (1 - t) ** 2 * knee + 2 * t * (1 - t) * middle[1] + t * t
    toned = np.where(greatest <= 1, greatest * knee, curve)
    gained: Floats = light * (toned / greatest).astype(np.float32)[..., None]
    return gained


def _encoded(light: Floats) -> NDArray[np.uint8]:
    """Levels of sRGB for light; what lies outside 0 to 1 is clipped."""
    return _levels()[(np.clip(light, 0, 1) * _STEPS + np.float32(0.5)).astype(np.uint16)]


@cache
def _levels() -> NDArray[np.uint8]:
    light = np.arange(_STEPS + 1) / _STEPS
    signal = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return (signal * 255 + 0.5).astype(np.uint8)


def _between(source: Chromaticities, target: Chromaticities) -> _Matrix | None:
    """From light in one set of primaries to that in another, adapted to its white; None where the
    first spans no colours."""
    if source == target:
        return np.eye(3)
    try:
        matrix = np.linalg.inv(_to_xyz(target)) @ _adapted(source, target) @ _to_xyz(source)
    except (np.linalg.LinAlgError, ZeroDivisionError):
        return None
    return matrix if np.isfinite(matrix).all() else None


def _or_same(matrix: _Matrix | None) -> _Matrix:
    return np.eye(3) if matrix is None else matrix


def _to_xyz(colours: Chromaticities) -> _Matrix:
    """From light in a set of primaries to CIE XYZ, in which white has Y = 1."""
    primaries = np.stack([_xyz(*colours[at : at + 2]) for at in (0, 2, 4)], axis=1)
    matrix: _Matrix = primaries * np.linalg.solve(primaries, _xyz(*colours[6:]))
    return matrix


def _adapted(source: Chromaticities, target: Chromaticities) -> _Matrix:
    """Bradford's adaptation from one white to another (as in ICC.1, Annex E)."""
    cones = _BRADFORD @ _xyz(*target[6:]) / (_BRADFORD @ _xyz(*source[6:]))
    matrix: _Matrix = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD
    return matrix


def _xyz(x: float, y: float) -> _Matrix:
    return np.array([x / y, 1, (1 - x - y) / y])
