"""What the evidence of a picture costs, as a share of its check.

    python -m benchmarks.evidence

A photograph of 12 megapixels with a face, a camera's EXIF and its thumbnail, and the same signed:
each kind of evidence is timed against the check of the same picture (faces, networks, drawing), by
the processor's time of this process; reading credentials passes in a process of its own and is
timed by the clock. The aim: at most 10 % of a check and 40 ms.
"""

from __future__ import annotations

import json
import platform
import statistics
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from skimage.data import astronaut

from tests.unmask.evidence.files import exif_with_thumbnail, jpeg_segment, xmp
from tests.unmask.evidence.signing import authority, signed, signer
from unmask.detector.detector import Detector
from unmask.detector.encoding import BGR, encode_jpeg, encode_png
from unmask.errors import UnmaskError
from unmask.evidence.blocks import read_blocks
from unmask.evidence.collect import Collector
from unmask.evidence.credentials.reader import CredentialsReader
from unmask.evidence.credentials.report import credentials_finding
from unmask.evidence.jpeg.saving import tell_saving
from unmask.evidence.marks.search import find_marks
from unmask.evidence.metadata.reader import read_metadata
from unmask.evidence.metadata.thumbnail import compare_thumbnail
from unmask.evidence.visible.search import find_visible_marks
from unmask.images import Picture, open_picture
from unmask.settings import Settings

RESULT = Path(__file__).parent / "results" / "evidence.json"
TIMES = 15


def main() -> None:
    settings = Settings()
    detector, reader = Detector(settings), CredentialsReader()
    data = photograph()
    picture = open_picture(data, settings)
    note = open_picture(signed(data, "JPEG", signer("A Maker", authority())), settings)
    pixels = picture.pixels()
    thumbnail = read_metadata(read_blocks(picture.data, "JPEG")).thumbnail or b""
    reader.read(note.data, "JPEG")  # the process has started
    check = seconds(lambda: whole_check(detector, picture), 5)
    metadata = seconds(lambda: read_metadata(read_blocks(picture.data, "JPEG")))
    fields = read_metadata(read_blocks(picture.data, "JPEG")).fields
    small = open_picture(shrunk(data, 2_000, 1_500), settings)
    blocks_of_small = read_blocks(small.data, "JPEG")
    parts = {
        "metadata": metadata,
        "marks": seconds(lambda: find_marks(fields)),
        "traces of saving": seconds(lambda: tell_saving(picture, read_blocks(data, "JPEG"))),
        "traces of saving, 3 megapixels": seconds(lambda: tell_saving(small, blocks_of_small)),
        "visible marks": seconds(lambda: find_visible_marks(pixels)),
        "thumbnail": seconds(lambda: compare_thumbnail(thumbnail, pixels)),
        "ordinary photograph": seconds(lambda: ordinary(Collector(reader), picture, pixels)),
        "credentials, where there are some": seconds(
            lambda: credentials_finding(reader.read(note.data, "JPEG"), None),
            clock=time.perf_counter,
        ),
    }
    reader.close()
    result = {
        "machine": platform.machine(),
        "picture": f"{picture.width} x {picture.height}, {len(data)} bytes",
        "check_ms": round(check * 1000),
        "evidence_ms": {name: round(value * 1000, 2) for name, value in parts.items()},
        "percent_of_check": {name: round(100 * value / check, 2) for name, value in parts.items()},
    }
    print(json.dumps(result, indent=2))
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def photograph() -> bytes:
    """A JPEG of 12 megapixels: a face on a large background, EXIF with a thumbnail, XMP."""
    random = np.random.default_rng(1)
    small = random.integers(40, 216, (24, 32, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize((4000, 3000), Image.Resampling.BICUBIC)
    grain = random.integers(0, 9, (3000, 4000, 1), dtype=np.uint8)
    image = Image.fromarray(np.asarray(image) // 2 + 60 + grain)
    image.paste(Image.fromarray(astronaut()).resize((1200, 1200)), (1400, 900))
    thumbnail, out = BytesIO(), BytesIO()
    image.resize((160, 120)).save(thumbnail, "JPEG")
    image.save(out, "JPEG", quality=90)
    fields = {"XMP-photoshop:Credit": "A photographer", "XMP-xmp:CreatorTool": "A camera 1.0"}
    packet = b"http://ns.adobe.com/xap/1.0/\0" + xmp(fields)
    exif = jpeg_segment(0xE1, exif_with_thumbnail(thumbnail.getvalue()))
    data = out.getvalue()
    return data[:2] + exif + jpeg_segment(0xE1, packet) + data[2:]


def shrunk(data: bytes, width: int, height: int) -> bytes:
    """The same picture, made smaller and saved again."""
    out = BytesIO()
    Image.open(BytesIO(data)).resize((width, height)).save(out, "JPEG", quality=90)
    return out.getvalue()


def whole_check(detector: Detector, picture: Picture) -> None:
    (examination,) = detector.examine([picture])
    if isinstance(examination, UnmaskError):
        raise examination
    encode_jpeg(examination.annotated(order=BGR), BGR)
    encode_png(examination.mask())
    encode_png(examination.heatmap())


def ordinary(collector: Collector, picture: Picture, pixels: Any) -> None:
    collector.look(collector.collect(picture), lambda: pixels)


def seconds(
    work: Callable[[], object], times: int = TIMES, clock: Callable[[], float] = time.process_time
) -> float:
    """The median of a few runs."""
    work()
    passed = []
    for _ in range(times):
        start = clock()
        work()
        passed.append(clock() - start)
    return statistics.median(passed)


if __name__ == "__main__":
    main()
