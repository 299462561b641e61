"""The one vocabulary: what people are shown, and the JSON of version 1."""

from __future__ import annotations

import json
import re
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from unmask.findings import Evidence, Kind, Weight
from unmask.report import (
    Face,
    Image,
    JudgeScore,
    Model,
    Pictures,
    Report,
    Timings,
    Verdict,
    picture_verdict,
    shown_percent,
)
from unmask.warning_codes import WARNING_CODES, warn

DOCS = Path(__file__).parents[2] / "docs" / "api.md"

#: The report's JSON as docs promise it: nothing may go missing, new fields may come.
VERSION_1 = {
    "": "version sha256 verdict fake_probability statement image faces model threshold "
    "real_bound fake_bound pictures timings_ms evidence evidence_says warning_codes warnings",
    "image": "width height format",
    "faces": "box landmarks fake_probability verdict tampered_fraction outline reasons judges",
    "judges": "name fake_probability",
    "evidence": "kind code weight says where parameters sentence",
    "warning_codes": "code parameters",
    "model": "name version sha256",
    "pictures": "annotated mask heatmap",
    "timings_ms": "queue decode faces model draw evidence total",
}
FAKE, UNSURE, REAL, NO_FACE = Verdict.FAKE, Verdict.UNSURE, Verdict.REAL, Verdict.NO_FACE


def face(verdict: Verdict, probability: float) -> Face:
    return Face(
        box=(1, 2, 30, 40),
        landmarks=((5, 6), (15.5, 6), (10, 12), (6, 20), (14, 20)),
        fake_probability=probability,
        verdict=verdict,
        tampered_fraction=0.25,
        outline=(((1, 2), (3, 4), (5, 2)),),
        judges=(
            JudgeScore(name="densenet121", fake_probability=0.5),
            JudgeScore(name="clip", fake_probability=probability),
        ),
    )


def full_report() -> Report:
    return Report(
        sha256="0" * 64,
        verdict=FAKE,
        fake_probability=0.875,
        statement="...",
        image=Image(width=640, height=480, format="JPEG"),
        faces=(face(FAKE, 0.875), face(REAL, 0.125)),
        model=Model(name="densenet121", version="1.2.3", sha256="f" * 64),
        threshold=0.5,
        pictures=Pictures(annotated="a.jpg"),
        timings_ms=Timings(decode=1.5, total=1.5),
        evidence=(Evidence(kind=Kind.MARKS, code="mark_generated", weight=Weight.HINT),),
        warning_codes=(warn("some_frames", number=3),),
    )


@given(st.floats(0, 1))
def test_people_see_1_to_99_per_cent(probability: float) -> None:
    shown = shown_percent(probability)
    assert type(shown) is int
    assert 1 <= shown <= 99
    assert abs(shown - 100 * probability) <= (0.5 + 1e-9 if 0.01 <= probability <= 0.99 else 1)


@pytest.mark.parametrize(
    ("probability", "percent"),
    [(0, 1), (0.004, 1), (0.0149, 1), (0.016, 2), (0.5, 50), (0.984, 98), (0.9999, 99), (1, 99)],
)
def test_whole_per_cent(probability: float, percent: int) -> None:
    assert shown_percent(probability) == percent


def test_a_picture_is_as_suspicious_as_its_most_suspicious_face() -> None:
    """The verdict leads, even where a small face called unsure has a higher probability."""
    faces = [face(REAL, 0.2), face(UNSURE, 0.95), face(FAKE, 0.8), face(FAKE, 0.9)]
    for order in permutations(faces):
        assert picture_verdict(order) == (FAKE, 0.9)
    for order in permutations(faces[:2]):
        assert picture_verdict(order) == (UNSURE, 0.95)
    assert picture_verdict((faces[0], face(REAL, 0.1))) == (REAL, 0.2)
    assert picture_verdict(()) == (NO_FACE, None)


def test_the_json_has_every_field_of_version_1() -> None:
    shown = json.loads(full_report().model_dump_json())
    assert shown["version"] == 1
    for name, fields in VERSION_1.items():
        part = shown.get(name, shown)
        if name == "judges":
            part = [item for one in shown["faces"] for item in one["judges"]]
        for item in part if isinstance(part, list) else [part]:
            assert list(item) == fields.split(), name
    assert shown["verdict"] == "fake"
    first = shown["faces"][0]
    assert first["box"] == [1, 2, 30, 40]
    assert [len(point) for point in first["landmarks"]] == [2] * 5
    assert first["outline"] == [[[1, 2], [3, 4], [5, 2]]]


def test_a_report_comes_back_from_json() -> None:
    report = full_report()
    assert Report.model_validate_json(report.model_dump_json()) == report
    bare = report.model_copy(update={"faces": (), "verdict": NO_FACE, "fake_probability": None})
    again = Report.model_validate_json(bare.model_dump_json())
    assert again == bare
    assert again.fake_probability is None


def test_a_report_that_still_names_its_job_is_read() -> None:
    old = {"id": "0" * 32, "state": "done", "created": "2026-11-24T09:30:00Z"}
    stored = old | json.loads(full_report().model_dump_json())
    assert Report.model_validate(stored) == full_report()


def test_a_report_from_before_outlines_and_judges_is_read() -> None:
    old = json.loads(full_report().model_dump_json())
    for item in old["faces"]:
        del item["outline"], item["judges"]
    del old["pictures"], old["warnings"], old["warning_codes"]
    (first, _) = Report.model_validate(old).faces
    assert (first.outline, first.judges) == ((), ())


def test_a_report_says_its_warnings_in_codes_and_in_english() -> None:
    report = full_report()
    assert report.warnings == ("Only some of the 3 frames were examined.",)
    assert json.loads(report.model_dump_json())["warning_codes"] == [
        {"code": "some_frames", "parameters": {"number": 3}}
    ]
    assert report.warnings_to_word == report.warning_codes


def test_warnings_of_other_versions_keep_their_sentences() -> None:
    """An earlier version stored no codes; a later one stores codes that are not known here."""
    old = json.loads(full_report().model_dump_json())
    del old["warning_codes"]
    assert Report.model_validate(old).warnings_to_word == tuple(old["warnings"])
    new = json.loads(full_report().model_dump_json())
    new["warning_codes"].append({"code": "of_tomorrow", "parameters": {}})
    new["warnings"].append("Tomorrow's sentence.")
    (known, unknown) = Report.model_validate(new).warnings_to_word
    assert (known, unknown) == (warn("some_frames", number=3), "Tomorrow's sentence.")


def test_a_warning_must_have_a_sentence() -> None:
    with pytest.raises(KeyError, match="made_up"):
        warn("made_up")


def test_the_docs_list_the_warnings() -> None:
    rows = [f"| `{code}` | {text.many or text.one} |" for code, text in WARNING_CODES.items()]
    table = DOCS.read_text().partition("\n| Code | Sentence |\n")[2].partition("\n\n")[0]
    documented = re.findall(r"^\| `.+$", table, re.MULTILINE)
    assert documented == rows, "the table should be:\n" + "\n".join(rows)


@pytest.mark.parametrize(
    ("field", "value"),
    [("fake_probability", 1.01), ("threshold", -0.1), ("verdict", "genuine"), ("faces", [{}])],
)
def test_what_cannot_be_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Report.model_validate(json.loads(full_report().model_dump_json()) | {field: value})


def test_a_report_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        full_report().verdict = REAL
