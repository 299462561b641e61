"""Untrusted bytes -> pixels, or a named error.

A stranger's file passes four gates, each cheaper than the next: its magic bytes (``sniff``), a walk
over its container (``layout``), a search for a second file inside it (``polyglot``), and Pillow's
header parser with the limits on size (``picture``). Only then may ``pixels`` decode it.
"""

from unmask.images.picture import Picture, open_picture, read_picture

__all__ = ["Picture", "open_picture", "read_picture"]
