"""Colours as browsers show them: what a file says of its colours, and its pixels in sRGB."""

from unmask.images.colour.conversion import in_srgb
from unmask.images.colour.signalling import Signalling, signalling

__all__ = ["Signalling", "in_srgb", "signalling"]
