"""``python -m unmask.evidence.layers.child LAYER LIMITS``: a layer of a stranger's file.

Reads the file from standard input and writes the layer as a PNG to standard output; ``LIMITS`` are
the settings that bound pictures, as JSON. Where the file cannot be decoded, the error comes as JSON
and the exit status is :data:`REFUSED`. A layer of a large photograph takes seconds: it is drawn
after all else that the machine has to do, and too much time or memory ends this process alone.
"""

from __future__ import annotations

import json
import os
import sys

from unmask.errors import UnmaskError
from unmask.findings import Layer
from unmask.settings import Settings

#: The exit status where the file is no picture that can be decoded.
REFUSED = 3
#: Bytes of memory and seconds of processor time that a file may cost.
MEMORY, SECONDS = 2_500_000_000, 90
#: How much other processes come first, as ``nice`` counts it.
_NICE = 5


def main(arguments: list[str]) -> int:
    """Read, draw, write; the exit status."""
    layer, limits = Layer(arguments[0]), json.loads(arguments[1])
    data = sys.stdin.buffer.read()
    _limit()
    import cv2

    from unmask.evidence.layers.drawing import draw_layer
    from unmask.images import open_picture

    cv2.setNumThreads(1)
    try:
        answer, status = draw_layer(open_picture(data, Settings(**limits)), layer), 0
    except UnmaskError as error:
        answer, status = json.dumps(error.as_json(), default=str).encode(), REFUSED
    sys.stdout.buffer.write(answer)
    return status


def _limit() -> None:
    """Bound what a file may cost; no file is written."""
    if os.name != "posix":
        return
    import resource

    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
