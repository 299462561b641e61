"""Untrusted clips -> pictures, decoded in a process of their own."""

from unmask.video.clip import first_frame, is_clip

__all__ = ["first_frame", "is_clip"]
