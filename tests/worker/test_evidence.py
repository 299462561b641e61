"""The worker collects what the file tells beside the check, which never hangs on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.faults.queue_harness import as_picture
from tests.faults.stub_detector import examination
from tests.pictures import encoded, photo
from tests.unmask.evidence.files import marked, plain
from tests.unmask.evidence.signing import authority, signed, signer
from tests.unmask.evidence.signs import with_star
from unmask.detector.align import Pixels
from unmask.detector.annotate import VISIBLE_MARK
from unmask.detector.engines.protocol import Status
from unmask.detector.examination import Examination, OnDecoded
from unmask.errors import SettingsError, UnmaskError
from unmask.evidence.visible.search import find_visible_marks
from unmask.findings import Evidence, Kind
from unmask.images import Picture
from unmask.report import Report, Verdict
from unmask.settings import Settings
from unmask.store import Store
from unmask.wording.evidence import shown_verdict
from worker.examiner import Examined, ExamineJob, Examiner

MARK = {"XMP-photoshop:Credit": "Made with Google AI", "EXIF:Artist": "Ada Lovelace"}


class Calm:
    """A detector that finds one clean face in each picture."""

    engine = Status("stand-in", "none")

    def examine(
        self, pictures: Sequence[Picture], on_decoded: object = None, on_prepared: object = None
    ) -> list[Examination | UnmaskError]:
        return [examination(picture, 0.02) for picture in pictures]


def examined(
    folder: Path, *files: bytes, settings: Settings, detector: Calm | None = None
) -> tuple[list[Report], Store]:
    """The reports on some files, and the store with their results."""
    store, pictures = Store(str(folder)), [as_picture(data) for data in files]
    for picture in pictures:
        store.put_picture(picture.sha256, picture.data)
    jobs = [ExamineJob(f"{n:032x}", picture.sha256) for n, picture in enumerate(pictures)]
    with closing(Examiner(detector or Calm(), store, settings)) as examiner:
        outcomes = [future.result() for future in examiner.examine(jobs)]
    assert all(isinstance(outcome, Examined) for outcome in outcomes)
    return [outcome.report for outcome in outcomes if isinstance(outcome, Examined)], store


def test_each_report_of_a_batch_has_the_evidence_of_its_own_file(tmp_path: Path) -> None:
    trusted = tmp_path / "list.pem"
    trusted.write_bytes(authority().pem)
    note = signed(plain("PNG"), "PNG", signer("OpenAI", authority()))
    reports, store = examined(
        tmp_path / "store",
        marked("JPEG", MARK),
        plain("WEBP"),
        note,
        settings=Settings(c2pa_trust_list=trusted),
    )
    assert [report.evidence_says for report in reports] == ["generated", "nothing", "generated"]
    assert [len(report.evidence) for report in reports] == [1, 0, 1]
    assert reports[2].evidence[0].weight == "statement"
    assert {report.verdict for report in reports} == {Verdict.REAL}
    assert reports[0].timings_ms.evidence > 0
    stored = json.loads(store.get_result(f"{0:032x}", "metadata.json") or b"")
    assert {"name": "EXIF:Artist", "value": "Ada Lovelace"}.items() <= stored["fields"][1].items()
    assert b"Ada" not in (store.get_result(f"{0:032x}", "report.json") or b"")


def test_a_star_takes_the_tick_away_and_is_boxed_in_the_annotated_picture(tmp_path: Path) -> None:
    picture = Image.fromarray(with_star(np.asarray(photo(640, 480)), 40))
    (report,), store = examined(tmp_path, encoded(picture, "PNG"), settings=Settings())
    (finding,) = report.evidence
    assert (report.verdict, report.evidence_says) == (Verdict.REAL, "generated")
    assert shown_verdict(report) is Verdict.UNSURE
    x, y, width, height = finding.where.box or (0, 0, 0, 0)
    assert (x, y, width, height) == pytest.approx((573, 413, 40, 40), abs=4)
    annotated = Image.open(BytesIO(store.get_result(f"{0:032x}", "annotated.jpg") or b""))
    frame = np.asarray(annotated)[y - 1, x : x + width].astype(int)
    assert (np.abs(frame - np.array(VISIBLE_MARK.colour)).sum(axis=1) < 90).any()


def test_a_check_does_not_hang_on_its_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("an unforeseen file")

    monkeypatch.setattr("unmask.evidence.collect.read_blocks", fail)
    (report,), store = examined(tmp_path, marked("JPEG", MARK), settings=Settings())
    assert (report.verdict, report.evidence) == (Verdict.REAL, ())
    assert json.loads(store.get_result(f"{0:032x}", "metadata.json") or b"")["fields"] == []


def test_a_check_does_not_hang_on_what_its_picture_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("an unforeseen picture")

    monkeypatch.setattr("unmask.evidence.collect.find_visible_marks", fail)
    (report,), _ = examined(tmp_path, marked("JPEG", MARK), settings=Settings())
    assert (report.verdict, report.evidence_says) == (Verdict.REAL, "generated")


def test_a_missing_trust_list_ends_the_worker_at_its_start(tmp_path: Path) -> None:
    settings = Settings(c2pa_trust_list=tmp_path / "missing.pem")
    with pytest.raises(SettingsError, match="UNMASK_C2PA_TRUST_LIST"):
        Examiner(Calm(), Store(str(tmp_path)), settings)


class Telling(Calm):
    """A detector that tells a picture's pixels before it judges, and judged ``judged``."""

    def __init__(self, told: Pixels, judged: Pixels) -> None:
        self._told, self._judged = told, judged

    def examine(
        self,
        pictures: Sequence[Picture],
        on_decoded: OnDecoded | None = None,
        on_prepared: object = None,
    ) -> list[Examination | UnmaskError]:
        assert on_decoded is not None
        for picture in pictures:
            on_decoded(picture, self._told)
        return [
            replace(result, pixels=self._judged)
            for result in super().examine(pictures)
            if isinstance(result, Examination)
        ]


def test_the_pixels_that_were_judged_are_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_pixels = np.asarray(photo(640, 480))
    starred = with_star(plain_pixels, 40)
    looked = []

    def find(pixels: Pixels) -> list[Evidence]:
        looked.append(pixels)
        return find_visible_marks(pixels)

    monkeypatch.setattr("unmask.evidence.collect.find_visible_marks", find)
    for number, (told, judged) in enumerate(((starred, starred), (plain_pixels, starred))):
        looked.clear()
        (report,), _ = examined(
            tmp_path / str(number),
            encoded(Image.fromarray(starred), "PNG"),
            settings=Settings(),
            detector=Telling(told, judged),
        )
        assert [finding.kind for finding in report.evidence] == [Kind.VISIBLE_MARKS]
        assert [pixels is judged for pixels in looked] == ([True] if number == 0 else [False, True])
