"""``python -m unmask.video.decode``: the first frame of a short video, for a process of its own.

Reads an MP4 or WebM file from standard input and writes a PNG to standard output. Video decoders
are large and old, and the file is a stranger's: a fault in here, or too much time or memory, ends
this process and no other. The exit status is 1 where there is no frame.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from unmask.video.clip import is_clip

#: Bytes of memory and seconds of processor time that a file may cost.
MEMORY, SECONDS = 2_000_000_000, 20
#: Largest frame, in pixels.
MAX_PIXELS = 16_000_000
#: Formats and protocols that are opened: no playlists, which name other files, and no network.
_OPTIONS = "protocol_whitelist;file|format_whitelist;mov,matroska"


def main() -> int:
    """Read, decode, write; the exit status."""
    data = sys.stdin.buffer.read()
    if not is_clip(data):
        return 1
    _limit()
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = _OPTIONS
    os.environ["OPENCV_LOG_LEVEL"] = "SILENT"
    import cv2  # after the options, which it reads when it loads

    with tempfile.TemporaryDirectory(prefix="unmask-clip-") as folder:
        path = Path(folder) / "clip"
        path.write_bytes(data)
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        wide, high = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        if not 0 < wide * high <= MAX_PIXELS:
            return 1
        has_frame, frame = capture.read()
        capture.release()
    done, png = cv2.imencode(".png", frame) if has_frame else (False, None)
    if not done or png is None:
        return 1
    sys.stdout.buffer.write(png.tobytes())
    return 0


def _limit() -> None:
    if os.name != "posix":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    sys.exit(main())
