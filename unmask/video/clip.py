"""Whether bytes are a clip, and its first frame, from a decoder in a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile

#: For how many seconds a clip may be decoded.
_SECONDS = 30.0
#: The environment variables that the decoder gets: what an interpreter needs to start, but no token
#: and no URL with a password.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
_WEBM = b"\x1a\x45\xdf\xa3"


def is_clip(data: bytes) -> bool:
    """Whether the bytes begin as an MP4 or a WebM does."""
    return data[4:8] == b"ftyp" or data.startswith(_WEBM)


async def first_frame(data: bytes) -> bytes | None:
    """The first frame of an MP4 or WebM as a PNG, None where there is none or it takes too long.

    The caller limits how many clips are decoded at the same time.
    """
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    # The decoder may be killed and clean up nothing, so its folder is removed here.
    with tempfile.TemporaryDirectory(prefix="unmask-clip-") as folder:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "unmask.video.decode",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**environment, "TMPDIR": folder},
        )
        try:
            async with asyncio.timeout(_SECONDS):
                frame, _ = await process.communicate(data)
        except TimeoutError:
            return None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return frame if process.returncode == 0 and frame else None
