"""Untrusted bytes -> pixels, or a named error.

A stranger's file passes four gates, each cheaper than the next: its magic bytes (``sniff``), a walk
over its container (``layout``, by the segments of ``containers``), a search for a second file in it
(``polyglot``), and Pillow's header parser (``opening``) with the limits on size (``picture``).
Only then may ``pixels`` decode it: the frames that people see (``frames``), whole (``endings``), in
the colours that browsers show (``colour``).
"""

from unmask.images.picture import Picture, open_picture, read_picture
from unmask.images.pixels import Appearance

__all__ = ["Appearance", "Picture", "open_picture", "read_picture"]
