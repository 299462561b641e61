"""A device judges one batch while the processor prepares the next."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.unmask.detector.subjects import FAKE, picture, scenery
from unmask.detector.align import Pixels
from unmask.detector.classifier import Classifier, Judgement
from unmask.detector.detector import Detector
from unmask.detector.engines.protocol import Status
from unmask.detector.examination import Examination
from unmask.detector.faces import FaceFinder, Search
from unmask.detector.networks import Networks
from unmask.images import Picture
from unmask.report import Verdict
from unmask.settings import Settings

ON_DEVICE = Status("stand-in", "none", on_device=True)


class Device(Classifier):
    """A model that ends with no face before ``may_end`` is set; ``events`` tells what happens."""

    def __init__(self, manifest: Path, events: list[str]) -> None:
        super().__init__(manifest, threads=1)
        self.has_begun, self.may_end = threading.Event(), threading.Event()
        self._events = events

    def judge(self, crops: Sequence[Pixels]) -> list[Judgement]:
        self._events.append(f"judges {len(crops)}")
        self.has_begun.set()
        assert self.may_end.wait(120)
        judged = super().judge(crops)
        self._events.append(f"judged {len(crops)}")
        return judged


class Finder(FaceFinder):
    """A finder that tells of each search that ends."""

    def __init__(self, events: list[str]) -> None:
        super().__init__(threads=1)
        self._events = events

    def search(
        self, pixels: Pixels, reduced_search: Search | None = None, is_reduced: bool = False
    ) -> Search:
        search = super().search(pixels, reduced_search, is_reduced)
        self._events.append("searched")
        return search


def test_faces_are_judged_while_other_pictures_are_prepared(
    colour_model: Path, portrait: Pixels
) -> None:
    events: list[str] = []
    device, finder = Device(colour_model, events), Finder(events)
    engine = Status("stand-in", "none")
    detector = Detector(Settings(model=colour_model), networks=Networks(finder, device, engine))
    pictures = [picture(portrait), picture(portrait), picture(scenery()), picture(portrait)]

    def on_decoded(opened: Picture, _: Pixels) -> None:
        if opened is pictures[2]:
            assert device.has_begun.wait(120)
            device.may_end.set()

    told: list[int] = []
    examinations = detector.examine(pictures, on_decoded, lambda: told.append(len(events)))
    assert [event for event in events if event != "searched"][:2] == ["judges 2", "judged 2"]
    assert told == [events.index("judges 1")], "once, with the last faces"
    verdicts = [one.report.verdict for one in examinations if isinstance(one, Examination)]
    assert verdicts == [FAKE, FAKE, Verdict.NO_FACE, FAKE]


def test_a_batch_is_prepared_while_a_device_judges_another(
    colour_model: Path, portrait: Pixels
) -> None:
    events: list[str] = []
    device, one_has_the_device = Device(colour_model, events), threading.Event()
    networks = Networks(Finder(events), device, ON_DEVICE)
    detector = Detector(Settings(model=colour_model), networks=networks)
    one, other = [picture(portrait)] * 2, [picture(portrait), picture(scenery())]
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(detector.examine, one, on_prepared=one_has_the_device.set)
        assert one_has_the_device.wait(120)
        second = pool.submit(
            detector.examine, other, on_prepared=lambda: events.append("the device is handed over")
        )
        while events.count("searched") < 4:
            assert not first.done() and not second.done()
        device.may_end.set()
        examinations = first.result() + second.result()
    order = [event for event in events if event != "searched"]
    assert order == ["judges 2", "judged 2", "the device is handed over", "judges 1", "judged 1"]
    assert events.index("judged 2") > max(
        place for place, event in enumerate(events) if event == "searched"
    )
    assert len(examinations) == 4


def test_a_device_has_a_picture_prepared_on_each_processor(colour_model: Path) -> None:
    together = threading.Barrier(3, timeout=120)
    networks = Networks(FaceFinder(1), Classifier(colour_model, threads=1), ON_DEVICE)
    detector = Detector(Settings(model=colour_model, threads=3), networks=networks)
    detector.examine([picture(scenery())] * 3, lambda *_: together.wait())
    assert not together.broken
