"""The words of reports: one set for every door, in every language."""

from __future__ import annotations

import re

import pytest

from tests.unmask.test_report import FAKE, NO_FACE, REAL, UNSURE, face
from unmask.i18n import LANGUAGES, texts_in
from unmask.report import Face, UnsureReason, Verdict
from unmask.warning_codes import WARNING_CODES, warn
from unmask.wording import reports
from unmask.wording.reports import english_statement, statement, warning_sentence

TABLES = (reports.VERDICTS, reports.LABELS, reports.CAVEATS, reports.REASONS)


def faces(verdict: Verdict, probability: float, count: int, *reasons: str) -> list[Face]:
    """Faces of which the first is the most suspicious."""
    first = face(verdict, probability).model_copy(update={"reasons": reasons})
    return [first, *(face(REAL, 0.01) for _ in range(count - 1))][:count]


@pytest.mark.parametrize(
    ("verdict", "probability", "count", "words"),
    [
        (FAKE, 0.973, 1, "The face shows signs of manipulation (fake 97 %)."),
        (FAKE, 1.0, 3, "At least one of the 3 faces shows signs of manipulation (fake 99 %)."),
        (UNSURE, 0.3, 1, "Unsure: the signs in this picture are too weak to say (fake 30 %)."),
        (UNSURE, 0.7, 1, "Unsure: there are signs of manipulation, but too few"),
        (REAL, 0.0, 1, "No sign of manipulation was found (fake 1 %)."),
        (NO_FACE, 0.0, 0, "No face was found"),
    ],
)
def test_one_plain_sentence(verdict: Verdict, probability: float, count: int, words: str) -> None:
    assert words in english_statement(faces(verdict, probability, count))


@pytest.mark.parametrize(
    ("reason", "count", "words"),
    [
        (UnsureReason.TOO_SMALL, 1, "the face is too small to be judged (fake 70 %)"),
        (UnsureReason.TOO_SMALL, 3, "the most suspicious of the 3 faces is too small"),
        (UnsureReason.PROFILE, 1, "the face is seen from the side"),
        (UnsureReason.OCCLUDED, 1, "a part of the face is covered"),
        (UnsureReason.JUDGES_DISAGREE, 1, "sees signs of manipulation, another does not"),
    ],
)
def test_an_unsure_face_says_why(reason: UnsureReason, count: int, words: str) -> None:
    assert words in english_statement(faces(UNSURE, 0.7, count, reason))


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("probability", [0.0, 0.3, 0.7, 1.0])
def test_nothing_is_ever_called_genuine(verdict: Verdict, probability: float) -> None:
    """The word may stand only in the sentence that denies the claim."""
    sentence = english_statement([] if verdict is NO_FACE else faces(verdict, probability, 1))
    sentence = sentence.lower().replace("this does not prove that the picture is genuine.", "")
    for claim in ("genuine", "authentic", "real", "untouched", "original", "not fake", "100 %"):
        assert claim not in sentence


def test_absence_of_evidence_is_said_as_such() -> None:
    sentence = english_statement(faces(REAL, 0.01, 1))
    assert sentence.startswith("No sign of manipulation was found")
    assert "does not prove" in sentence


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_every_word_of_a_report_is_translated(language: str) -> None:
    texts = texts_in(language)
    for table in TABLES:
        for text in table.values():  # type: ignore[attr-defined]
            assert texts.gettext(text) != text or text == "FAKE"
    for reason in UnsureReason:
        for count in (1, 3):
            unsure = faces(UNSURE, 0.7, count, reason)
            assert "70" in statement(texts, unsure) != english_statement(unsure)


def test_every_verdict_and_reason_has_its_words() -> None:
    assert set(reports.VERDICTS) == set(reports.CAVEATS) == set(Verdict)
    assert set(reports.LABELS) == set(Verdict) - {NO_FACE}
    assert set(reports.REASONS) == set(UnsureReason)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", WARNING_CODES)
@pytest.mark.parametrize("number", [1, 3])
def test_every_warning_has_a_sentence_in_every_language(
    language: str, code: str, number: int
) -> None:
    text = WARNING_CODES[code]
    names = set(re.findall(r"\{(\w+)\}", text.one + text.many))
    warning = warn(code, **{name: number if name == "number" else 45 for name in names})
    sentence = warning_sentence(texts_in(language), warning)
    assert (sentence == warning.english) is (language == "en")
    assert not names or str(number) in sentence


def test_a_sentence_that_the_version_before_stored_stays() -> None:
    assert warning_sentence(texts_in("de"), "Only one of two.") == "Only one of two."
