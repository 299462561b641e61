"""The sentences of evidence, and the statement that joins the score and the file."""

from __future__ import annotations

import re

import pytest

from tests.unmask.test_report import face, full_report
from unmask.findings import Evidence, Kind, Says, Weight
from unmask.i18n import LANGUAGES, texts_in
from unmask.report import Report, Verdict
from unmask.wording.evidence import (
    EVIDENCE_CODES,
    WEIGHTS,
    evidence_sentence,
    headline,
    origin_label,
    report_statement,
    shown_verdict,
    with_evidence,
)
from unmask.wording.kinds import KINDS
from unmask.wording.reports import english_statement

EN = texts_in("en")
#: Parameters that are names; a finding may lack those of the second line.
NEEDED = ("camera", "program", "host", "block", "quality", "label", "first")
NAMES = (*NEEDED, "maker", "signer", "agent", "listed")
PROBABILITIES = {Verdict.FAKE: 0.97, Verdict.UNSURE: 0.6, Verdict.REAL: 0.02}
SIGNED = Evidence(
    kind=Kind.CREDENTIALS,
    code="credentials_trusted",
    weight=Weight.STATEMENT,
    says=Says.GENERATED,
    parameters={"signer": "OpenAI", "agent": "gpt-image", "listed": "2026-08-14"},
)
MARK = Evidence(
    kind=Kind.MARKS,
    code="mark_generated",
    weight=Weight.HINT,
    says=Says.GENERATED,
    parameters={"maker": "Google"},
)
EDITED = Evidence(kind=Kind.MARKS, code="mark_edited_unnamed", weight=Weight.HINT, says=Says.EDITED)
CAMERA = SIGNED.model_copy(update={"says": Says.CAMERA})
NOTE = Evidence(kind=Kind.METADATA, code="place_recorded", weight=Weight.NOTE)


def report_on(verdict: Verdict) -> Report:
    faces = () if verdict is Verdict.NO_FACE else (face(verdict, PROBABILITIES[verdict]),)
    update = {
        "verdict": verdict,
        "faces": faces,
        "statement": english_statement(faces),
        "evidence": (),
    }
    return full_report().model_copy(update=update)


def told(verdict: Verdict, *evidence: Evidence) -> Report:
    return with_evidence(report_on(verdict), evidence)


def test_a_clean_face_in_a_picture_that_says_it_was_generated() -> None:
    assert told(Verdict.REAL, MARK).statement == (
        "No sign of manipulation was found (fake 2 %). But the file says that the picture was made "
        "by Google (unsigned mark)."
    )
    assert told(Verdict.REAL, SIGNED).statement.endswith(
        "But the file says that the picture was made by gpt-image, OpenAI (signed)."
    )
    assert told(Verdict.REAL, EDITED).statement.endswith(
        "But the file says that the picture was edited with AI (unsigned mark)."
    )


def test_the_statement_of_the_faces_stays_where_the_file_agrees_or_says_nothing() -> None:
    plain = report_on(Verdict.REAL).statement
    assert told(Verdict.REAL, NOTE).statement == plain
    assert told(Verdict.REAL, CAMERA).statement.startswith(plain + " The file says that a camera")
    fake = report_on(Verdict.FAKE).statement
    assert told(Verdict.FAKE, MARK).statement == (
        fake + " The file says that the picture was made by Google (unsigned mark)."
    )


def test_an_untrusted_signer_is_not_named_in_the_statement() -> None:
    forged = SIGNED.model_copy(update={"code": "credentials_untrusted", "weight": Weight.HINT})
    statement = told(Verdict.REAL, forged).statement
    assert "OpenAI" not in statement
    assert "gpt-image (signed by somebody unknown)" in statement
    assert "only the name that it gives" in told(Verdict.REAL, forged).evidence[0].sentence


@pytest.mark.parametrize(
    ("verdict", "evidence", "looks"),
    [
        (Verdict.REAL, SIGNED, Verdict.FAKE),
        (Verdict.REAL, MARK, Verdict.UNSURE),
        (Verdict.NO_FACE, MARK, Verdict.UNSURE),
        (Verdict.REAL, EDITED, Verdict.UNSURE),
        (Verdict.UNSURE, MARK, Verdict.UNSURE),
        (Verdict.UNSURE, SIGNED, Verdict.FAKE),
        (Verdict.FAKE, MARK, Verdict.FAKE),
        (Verdict.REAL, NOTE, Verdict.REAL),
        (Verdict.REAL, CAMERA, Verdict.REAL),
    ],
)
def test_the_look_changes_and_the_verdict_does_not(
    verdict: Verdict, evidence: Evidence, looks: Verdict
) -> None:
    report = told(verdict, evidence)
    assert report.verdict is verdict
    assert shown_verdict(report) is looks


def test_the_headline_says_what_the_file_says() -> None:
    assert headline(EN, told(Verdict.REAL, MARK)) == "Made by AI, says the file"
    assert headline(EN, told(Verdict.REAL, EDITED)) == "Edited with AI, says the file"
    assert headline(EN, told(Verdict.REAL, NOTE)) == "No sign of manipulation"
    assert headline(EN, told(Verdict.FAKE, MARK)) == "Signs of manipulation"
    assert headline(EN, told(Verdict.UNSURE, MARK)) == "Made by AI, says the file"


def test_the_legend_of_a_picture() -> None:
    assert origin_label(EN, told(Verdict.REAL, MARK)) == "file: made by Google (unsigned mark)"
    assert origin_label(EN, told(Verdict.REAL, NOTE)) == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_a_sentence_in_every_language(language: str) -> None:
    texts = texts_in(language)
    for code in EVIDENCE_CODES:
        kind = Kind.CREDENTIALS if code.startswith("credentials") else Kind.MARKS
        counted = {"days": 2, "steps": 3, "times": 2}
        for says in Says:
            for part in ({}, {"part": 1}):
                finding = Evidence(
                    kind=kind,
                    code=code,
                    weight=Weight.HINT,
                    says=says,
                    parameters={**dict.fromkeys(NAMES, "X"), **counted, **part},
                )
                sentence = evidence_sentence(texts, finding)
                assert sentence and not re.search(r"[{}]", sentence)
                bare = finding.model_copy(update={"parameters": dict.fromkeys(NEEDED, "X")})
                assert evidence_sentence(texts, bare)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("verdict", Verdict)
def test_every_statement_in_every_language(language: str, verdict: Verdict) -> None:
    texts = texts_in(language)
    for evidence in (SIGNED, MARK, EDITED, CAMERA):
        report = told(verdict, evidence)
        assert report_statement(texts, report) and headline(texts, report)
        if language != "en":
            assert report_statement(texts, report) != report.statement


def test_every_kind_and_weight_is_explained() -> None:
    assert set(KINDS) == set(Kind) and set(WEIGHTS) == set(Weight)


def test_a_code_of_another_version_is_said_by_its_name() -> None:
    later = NOTE.model_copy(update={"code": "smell_of_ozone"})
    assert evidence_sentence(EN, later) == "smell of ozone"
