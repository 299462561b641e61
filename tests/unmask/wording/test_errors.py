"""Sentences for errors."""

from __future__ import annotations

import pytest

from unmask.errors import ERROR_CODES, WEB_PAGE, UnmaskError
from unmask.i18n import LANGUAGES, texts_in
from unmask.wording.errors import ERRORS, error_message, error_sentence


def test_each_error_has_its_sentence() -> None:
    assert list(ERRORS) == list(ERROR_CODES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", ERROR_CODES)
def test_every_error_has_a_sentence_in_every_language(language: str, code: str) -> None:
    error = UnmaskError(code, "for machines", limit=20_000_000, retry_after=61)
    sentence = error_sentence(texts_in(language), error.as_json()["error"])
    assert len(sentence) > 10 and "{" not in sentence and "for machines" not in sentence


def test_a_code_of_a_later_version_has_a_sentence() -> None:
    assert "our side" in error_sentence(texts_in("en"), {"code": "of_tomorrow"})


def test_english_shows_the_message_which_says_most() -> None:
    error = {"code": "too_many_pixels", "message": "9 million pixels", "detail": {}}
    assert error_message(texts_in("en"), error) == "9 million pixels"
    assert error_message(texts_in("de"), error) == error_sentence(texts_in("de"), error)
    assert "too many pixels" in error_message(texts_in("en"), {"code": "too_many_pixels"})


def test_a_limit_is_in_megabytes() -> None:
    error = {"code": "too_many_bytes", "message": "", "detail": {"limit": 20_000_000}}
    assert "20 MB" in error_sentence(texts_in("en"), error)


def test_a_web_page_has_a_sentence_of_its_own() -> None:
    error = UnmaskError("not_a_picture", "any words", reason=WEB_PAGE).as_json()["error"]
    assert "web page" in error_sentence(texts_in("en"), error)
    assert "web page" not in error_sentence(texts_in("en"), error | {"detail": {}})


def test_an_incident_is_named() -> None:
    error = {"code": "internal", "detail": {"incident": "00ff"}}
    assert "incident 00ff" in error_sentence(texts_in("en"), error)
