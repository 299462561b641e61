"""``unmask check``: examines pictures in batches and shows each outcome as soon as it is there."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import islice, repeat
from pathlib import Path
from typing import ParamSpec, TypeVar

from unmask.cli.show import shown_on
from unmask.cli.sources import LAYERS, RESULTS, Source, find_sources, name_results
from unmask.detector.detector import Detector
from unmask.detector.encoding import BGR, encode_jpeg, encode_png
from unmask.detector.examination import Examination
from unmask.detector.networks import Networks
from unmask.errors import Exit, UnmaskError, internal_error
from unmask.evidence.collect import Collector
from unmask.evidence.credentials.reader import CredentialsReader
from unmask.evidence.credentials.trust_list import trust_list_path
from unmask.evidence.layers.drawing import draw_layer
from unmask.i18n import terminal_language
from unmask.images import Picture
from unmask.report import Pictures, Report
from unmask.settings import Settings
from unmask.wording.evidence import with_evidence

#: Pictures whose results are drawn at the same time; each takes some 10 bytes a pixel.
DRAWN_TOGETHER = 2

log = logging.getLogger("unmask.cli")

Arguments = ParamSpec("Arguments")
Found = TypeVar("Found")
Outcome = tuple[Source, Report | UnmaskError]


def run(options: argparse.Namespace, settings: Settings, opening: Future[Networks]) -> int:
    """Check what the options name and show the outcomes; returns the exit status. ``opening`` gives
    the networks of the settings.

    Raises :class:`UnmaskError` where nothing can be checked: ``model_missing``,
    ``model_mismatch`` or ``output_unwritable``.
    """
    sources = find_sources(options.photos, options.out)
    if options.out:
        _make_folder(options.out)
    collector = Collector(CredentialsReader(trust_list_path(settings)))
    detector = _made_of(opening, settings, options.threshold)
    status = Exit.DONE
    with shown_on(len(sources), options.json) as show, closing(collector):
        outcomes = check_all(
            sources, detector, collector, settings, options.out, layers=options.layers
        )
        for source, outcome in outcomes:
            if isinstance(outcome, UnmaskError):
                status = Exit.SOME_FAILED
            show(source.name, outcome)
    return status


def check_all(
    sources: Sequence[Source],
    detector: Detector,
    collector: Collector,
    settings: Settings,
    out: Path | None = None,
    *,
    layers: bool = False,
) -> Iterator[Outcome]:
    """Each source with its report or error, in order; what is written into ``out`` includes its
    layers if asked for.

    While one batch is examined the results of the one before are drawn, written and given; no more
    than these two are held in memory.
    """
    prefixes = (out / name for name in name_results(sources, out)) if out else repeat(None)
    waiting = zip(sources, prefixes, strict=False)
    drawing: list[tuple[Source, Future[Report | UnmaskError]]] = []
    with ThreadPoolExecutor(DRAWN_TOGETHER) as pool, ThreadPoolExecutor(1) as examiner:
        while batch := list(islice(waiting, settings.batch_size)):
            under_way = examiner.submit(
                _examined, detector, settings, [source for source, _ in batch]
            )
            yield from _ended(drawing)
            examined = under_way.result()
            drawing = [
                (source, pool.submit(_conclude, item, collector, prefix, layers=layers))
                for (source, prefix), item in zip(batch, examined, strict=True)
            ]
        yield from _ended(drawing)


def _examined(
    detector: Detector, settings: Settings, sources: Sequence[Source]
) -> list[Examination | UnmaskError]:
    """A batch, read and examined; what cannot be read yields its error."""
    read = [_attempt(source.read, settings) for source in sources]
    found = iter(_examine(detector, [item for item in read if isinstance(item, Picture)]))
    return [next(found) if isinstance(item, Picture) else item for item in read]


def _ended(drawing: Sequence[tuple[Source, Future[Report | UnmaskError]]]) -> Iterator[Outcome]:
    for source, future in drawing:
        yield source, future.result()


def _examine(detector: Detector, pictures: list[Picture]) -> list[Examination | UnmaskError]:
    """Examine a batch; where it fails as a whole, one by one, so that only the cause suffers."""
    if not pictures:
        return []
    outcome = _attempt(detector.examine, pictures)
    if not isinstance(outcome, UnmaskError):
        return outcome
    if len(pictures) == 1:
        return [outcome]
    return [examined for picture in pictures for examined in _examine(detector, [picture])]


def _conclude(
    examined: Examination | UnmaskError,
    collector: Collector,
    prefix: Path | None,
    *,
    layers: bool,
) -> Report | UnmaskError:
    if isinstance(examined, UnmaskError):
        return examined
    examined.report = _with_evidence(examined, collector)
    return _attempt(_write_results, examined, prefix, layers) if prefix else examined.report


def _with_evidence(examined: Examination, collector: Collector) -> Report:
    """The report with what the file tells; without it where that fails."""
    try:
        collected = collector.look(collector.collect(examined.picture), examined.decoded)
    except Exception as fault:
        log.error("a picture's evidence could not be collected", exc_info=fault)
        return examined.report
    return with_evidence(examined.report, collected.evidence)


def _write_results(examined: Examination, prefix: Path, layers: bool) -> Report:
    """Write the pictures of the result; returns the report that names them."""
    start = time.perf_counter()
    names = {kind: f"{prefix}{suffix}" for kind, suffix in RESULTS.items()}
    _write(names["annotated"], encode_jpeg(examined.annotated(terminal_language(), BGR), BGR))
    _write(names["mask"], encode_png(examined.mask()))
    _write(names["heatmap"], encode_png(examined.heatmap()))
    for layer, suffix in LAYERS.items() if layers else ():
        _write(f"{prefix}{suffix}", draw_layer(examined.picture, layer))
    passed = (time.perf_counter() - start) * 1000
    before = examined.report.timings_ms
    timings = {"draw": before.draw + passed, "total": before.total + passed}
    return examined.report.model_copy(
        update={"pictures": Pictures(**names), "timings_ms": before.model_copy(update=timings)}
    )


def _write(name: str, data: bytes) -> None:
    try:
        Path(name).write_bytes(data)
    except OSError as fault:
        message = f"{name} cannot be written: {fault.strerror}."
        raise UnmaskError("output_unwritable", message, path=name) from fault


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        message = f"The folder {out} cannot be made: {fault.strerror}."
        raise UnmaskError("output_unwritable", message, path=str(out)) from fault


def _made_of(opening: Future[Networks], settings: Settings, threshold: float | None) -> Detector:
    """The detector, once its networks are open."""
    try:
        networks = opening.result()
    except UnmaskError:
        raise
    except Exception as fault:  # the run time's own, for a file that is no model
        log.error("the model cannot be opened", exc_info=fault)
        message = f"The model of {settings.model} cannot be opened."
        raise UnmaskError("model_mismatch", message, path=str(settings.model)) from fault
    return Detector(settings, threshold, networks)


def _attempt(
    work: Callable[Arguments, Found], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Found | UnmaskError:
    """What ``work`` returns, or the error that it raised; a fault nobody foresaw is logged."""
    try:
        return work(*args, **kwargs)
    except UnmaskError as error:
        return error
    except Exception as fault:
        log.error("a picture failed", exc_info=fault)
        return internal_error(fault)
