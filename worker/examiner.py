"""A batch of orders -> results in the store, and for each its report or error."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from unmask.detector.annotate import annotate, encode_jpeg, encode_png
from unmask.detector.detector import Examination
from unmask.errors import UnmaskError
from unmask.images import Picture, open_picture
from unmask.report import Box, Pictures, Report
from unmask.settings import Settings
from unmask.store import Store

_log = logging.getLogger(__name__)

#: Drawing and storing run beside each other, and beside the bookkeeping of what is ready.
_DRAWING_THREADS = 4
#: Around a face's box, as a share of its sides.
_CROP_MARGIN = 0.25

#: How an order ended.
Outcome = Report | UnmaskError


class Examines(Protocol):
    """A detector: the real one is :class:`unmask.detector.detector.Detector`."""

    def examine(self, pictures: Sequence[Picture]) -> list[Examination | UnmaskError]:
        """Examine pictures as one batch."""


@dataclass(frozen=True)
class Order:
    """A picture to examine: its sha256, the work that its result is kept under, and the seconds
    that it waited."""

    work: str
    sha256: str
    waited: float = 0.0


class Examiner:
    """Runs batches through one detector."""

    def __init__(self, detector: Examines, store: Store, settings: Settings) -> None:
        self._detector = detector
        self._store = store
        self._settings = settings
        self._threads = ThreadPoolExecutor(_DRAWING_THREADS, "unmask-draw")
        # apart, since what waits for an encoder must not hold the thread that it would run on
        self._encoders = ThreadPoolExecutor(_DRAWING_THREADS, "unmask-encode")

    def close(self) -> None:
        """End the threads, once what they began is done."""
        self._threads.shutdown()
        self._encoders.shutdown()

    def examine(self, orders: Sequence[Order]) -> list[Future[Outcome]]:
        """Examine a batch: the faces of all pictures go through the model together.

        Returns one future for each order, in their order. It holds the report once the result is
        in the store, or the error of that one picture; it never raises.
        """
        opened = list(self._threads.map(self._open, orders))
        pictures = [picture for picture in opened if isinstance(picture, Picture)]
        found = iter(self._judge(pictures))
        outcomes = [next(found) if isinstance(picture, Picture) else picture for picture in opened]
        return [
            self._threads.submit(self._conclude, order, outcome)
            for order, outcome in zip(orders, outcomes, strict=True)
        ]

    def _open(self, order: Order) -> Picture | UnmaskError:
        try:
            return open_picture(self._store.get_picture(order.sha256), self._settings)
        except UnmaskError as error:
            return error
        except Exception:
            _log.exception("work %s: the picture could not be opened", order.work)
            return _unforeseen()

    def _judge(self, pictures: list[Picture]) -> list[Examination | UnmaskError]:
        if not pictures:
            return []
        try:
            return self._detector.examine(pictures)
        except Exception:
            _log.exception("a batch of %d failed", len(pictures))
        if len(pictures) == 1:
            return [_unforeseen()]
        # One of them is to blame; the others must not suffer for it.
        return [result for picture in pictures for result in self._judge([picture])]

    def _conclude(self, order: Order, found: Examination | UnmaskError) -> Outcome:
        if isinstance(found, UnmaskError):
            return found
        try:
            return self._keep(order, found)
        except UnmaskError as error:
            return error
        except Exception:
            _log.exception("work %s: the result could not be drawn", order.work)
            return _unforeseen()

    def _keep(self, order: Order, found: Examination) -> Report:
        """Draw the pictures of a result and store them; the report last, for it says all is
        there."""
        start = time.perf_counter()
        pixels, mask = found.decoded(), found.mask()
        maps = self._encoders.submit(lambda: (encode_png(mask), encode_png(found.heatmap())))
        files = {"annotated.jpg": encode_jpeg(annotate(pixels, found.report, mask))}
        for number, face in enumerate(found.report.faces):
            left, top, right, bottom = _crop(face.box, pixels.shape[1], pixels.shape[0])
            files[f"face-{number}.jpg"] = encode_jpeg(pixels[top:bottom, left:right])
        files["mask.png"], files["heatmap.png"] = maps.result()
        draw = (time.perf_counter() - start) * 1000
        report = _timed(found.report, order, draw)
        files["report.json"] = report.model_dump_json().encode()
        for name, data in files.items():
            self._store.put_result(order.work, name, data)
        return report

    def discard(self, order: Order) -> None:
        """Remove what was stored of a result."""
        try:
            self._store.delete_results(order.work)
        except OSError:
            _log.warning("work %s: its files could not be removed", order.work)


def _timed(report: Report, order: Order, draw: float) -> Report:
    """The report with the time in the queue and the time to draw, and the names of its pictures."""
    timings, queue = report.timings_ms, order.waited * 1000
    times = {
        "queue": queue,
        "draw": timings.draw + draw,
        "total": timings.total + draw + queue,
    }
    names = Pictures(annotated="annotated.jpg", mask="mask.png", heatmap="heatmap.png")
    update = {"timings_ms": timings.model_copy(update=times), "pictures": names, "id": order.work}
    return report.model_copy(update=update)


def _crop(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a face with some of what is around it, inside the picture."""
    x, y, w, h = box
    dx, dy = round(w * _CROP_MARGIN), round(h * _CROP_MARGIN)
    left, top = min(max(x - dx, 0), width - 1), min(max(y - dy, 0), height - 1)
    return left, top, max(min(x + w + dx, width), left + 1), max(min(y + h + dy, height), top + 1)


def _unforeseen() -> UnmaskError:
    return UnmaskError("internal", "Something unforeseen went wrong with this picture.")
