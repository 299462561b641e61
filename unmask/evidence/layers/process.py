"""Draws a layer in a process of its own, which is ended when it takes too long."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys

from unmask.errors import UnmaskError
from unmask.evidence.layers.child import REFUSED
from unmask.findings import Layer
from unmask.settings import Settings

#: Seconds that a layer may take.
SECONDS = 120.0
#: What an interpreter needs to start, but no token and no URL with a password.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
#: One thread: another takes room for itself, and the machine has other work.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_LIMITS = {"max_bytes", "max_pixels", "min_side", "max_side", "max_frames"}
_MODULE = "unmask.evidence.layers.child"

_log = logging.getLogger(__name__)


async def draw_apart(data: bytes, layer: Layer, settings: Settings) -> bytes:
    """The layer of a file, as :func:`unmask.evidence.layers.drawing.draw_layer` draws it.

    Raises what opening and decoding the file raises, and ``internal`` where the process was ended:
    by time, by memory, or by a fault. The caller limits how many are drawn at the same time.
    """
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        _MODULE,
        layer,
        settings.model_dump_json(include=_LIMITS),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment | _ONE_THREAD,
    )
    try:
        async with asyncio.timeout(SECONDS):
            answer, _ = await process.communicate(data)
    except TimeoutError:
        answer = b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == 0 and answer:
        return answer
    raise _error(answer if process.returncode == REFUSED else b"", layer, process.returncode)


def _error(answer: bytes, layer: Layer, status: int | None) -> UnmaskError:
    """The error that the process told, or that it told none."""
    if answer:
        error = json.loads(answer)["error"]
        return UnmaskError(error["code"], error["message"], **error["detail"])
    _log.error("the layer %s was given up (status %s)", layer, status)
    return UnmaskError("internal", "The layer took too much time or memory, and was given up.")
