"""A GIF as Telegram keeps it: a video without sound."""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image


def mp4(frames: list[Image.Image]) -> bytes:
    """The frames as MP4; both sides even, as codecs demand."""
    width, height = (side - side % 2 for side in frames[0].size)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.mp4"
        video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (width, height))
        for frame in frames:
            video.write(np.asarray(frame.convert("RGB"))[:height, :width, ::-1].copy())
        video.release()
        return path.read_bytes()
