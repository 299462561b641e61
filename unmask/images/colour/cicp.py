"""Code points for colours (ITU-T H.273): primaries, and curves from a signal to light."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
#: x and y of red, green, blue and white.
Chromaticities = tuple[float, float, float, float, float, float, float, float]
#: From a signal, 0 to 1, to light; 1 is white, for PQ and HLG see :data:`PQ` and :data:`HLG`.
Curve = Callable[[Floats], Floats]

_D65 = (0.3127, 0.3290)
_C = (0.310, 0.316)
SRGB: Chromaticities = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, *_D65)
BT2020: Chromaticities = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65)
_SMPTE170: Chromaticities = (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65)

#: Table 2 of H.273; codes without fixed primaries (2, 3) are left out.
PRIMARIES: dict[int, Chromaticities] = {
    1: SRGB,
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, *_C),
    5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65),
    6: _SMPTE170,
    7: _SMPTE170,
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, *_C),
    9: BT2020,
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}

#: Curves that need tone mapping: PQ (SMPTE ST 2084) and HLG (ITU-R BT.2100).
PQ, HLG = 16, 18
#: Codes for the camera's curve of BT.709; screens do not undo it but show it by another.
BT709_LIKE = frozenset({1, 6, 11, 12, 14, 15})


def gamma(exponent: float) -> Curve:
    """The curve of a power."""
    return lambda signal: np.power(signal, np.float32(exponent))


def srgb(signal: Floats) -> Floats:
    """The curve of sRGB (IEC 61966-2-1)."""
    return _piecewise(signal, 2.4, 1.055, 12.92, 0.04045)


def _smpte240(signal: Floats) -> Floats:
    return _piecewise(signal, 1 / 0.45, 1.1115, 4.0, 0.0913)


def _smpte428(signal: Floats) -> Floats:
    return np.power(signal, np.float32(2.6)) * np.float32(52.37 / 48)


def _logarithm(decades: float) -> Curve:
    bottom = np.float32(10.0**-decades)
    return lambda signal: np.where(
        signal > 0, np.power(np.float32(10), (signal - 1) * np.float32(decades)), bottom
    ).astype(np.float32)


def _pq(signal: Floats) -> Floats:
    """Light in units of 10,000 cd/m2."""
    m1, m2 = 2610 / 16_384, 2523 / 32
    c1, c2, c3 = 3424 / 4096, 2413 / 128, 2392 / 128
    power = np.power(signal.astype(np.float64), 1 / m2)
    light = np.power(np.maximum(power - c1, 0) / (c2 - c3 * power), 1 / m1)
    return light.astype(np.float32)


def _hlg(signal: Floats) -> Floats:
    """Light of the scene, 0 to 1."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    light = np.where(signal <= 0.5, signal * signal / 3, (np.exp((signal - c) / a) + b) / 12)
    return light.astype(np.float32)


def _piecewise(signal: Floats, power: float, scale: float, slope: float, knee: float) -> Floats:
    """A power with a straight piece below a knee of the signal."""
    bent = np.power((signal + np.float32(scale - 1)) / np.float32(scale), np.float32(power))
    return np.where(signal <= np.float32(knee), signal / np.float32(slope), bent)


#: Table 3 of H.273; codes without a curve (2, 3) are left out.
#: Those of BT.709 have here the curve of screens (BT.1886).
TRANSFERS: dict[int, Curve] = {
    **dict.fromkeys(BT709_LIKE, gamma(2.4)),
    4: gamma(2.2),
    5: gamma(2.8),
    7: _smpte240,
    8: gamma(1.0),
    9: _logarithm(2.0),
    10: _logarithm(2.5),
    13: srgb,
    16: _pq,
    17: _smpte428,
    18: _hlg,
}
