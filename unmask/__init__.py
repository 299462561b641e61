"""Unmask: tells whether a photograph of a face was faked, and where."""

__version__ = "0.1.0"
