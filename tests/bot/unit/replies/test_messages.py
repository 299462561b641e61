"""Sentences for errors, warnings and durations."""

from __future__ import annotations

import re

import pytest

from bot.i18n import LANGUAGES, texts_in
from bot.replies.messages import ERRORS, UNEXPECTED, duration, error_sentence, warning_sentence
from unmask.errors import ERROR_CODES, WEB_PAGE, UnmaskError
from unmask.warning_codes import WARNING_CODES, warn

#: Errors of other doors, and those whose details do not concern the user who sent a picture.
ELSEWHERE = {
    "file_not_found",
    "file_unreadable",
    "model_missing",
    "model_mismatch",
    "output_unwritable",
    "bad_request",
    "method_not_allowed",
    "unsupported_body",
    "slow_upload",
    "key_needed",
    "key_scope",
    "origin_refused",
    "busy",
    "not_ready",
    "queue_unavailable",
    "idempotency_mismatch",
    "internal",
}


def test_each_error_of_a_picture_has_its_sentence() -> None:
    assert set(ERRORS) == set(ERROR_CODES) - ELSEWHERE


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", ERROR_CODES)
def test_every_error_has_a_sentence_in_every_language(language: str, code: str) -> None:
    error = UnmaskError(code, "for machines", limit=20_000_000, retry_after=61)
    sentence = error_sentence(texts_in(language), error.as_json()["error"])
    assert len(sentence) > 10 and "{" not in sentence and "for machines" not in sentence
    if code in ELSEWHERE:
        assert sentence == texts_in(language).gettext(UNEXPECTED)


def test_a_limit_is_in_megabytes() -> None:
    error = {"code": "too_many_bytes", "message": "", "detail": {"limit": 20_000_000}}
    assert "20 MB" in error_sentence(texts_in("en"), error)


def test_a_web_page_has_a_sentence_of_its_own() -> None:
    error = UnmaskError("not_a_picture", "any words", reason=WEB_PAGE).as_json()["error"]
    assert "web page" in error_sentence(texts_in("en"), error)
    assert "web page" not in error_sentence(texts_in("en"), error | {"detail": {}})


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


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1 second"),
        (59, "59 seconds"),
        (119, "119 seconds"),
        (180, "3 minutes"),
        (86_400, "24 hours"),
        (604_800, "7 days"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(texts_in("en"), seconds) == text
