"""Sentences for errors, warnings and durations."""

from __future__ import annotations

import pytest

from bot.i18n import LANGUAGES, texts_in
from bot.replies.messages import ERRORS, UNEXPECTED, duration, error_sentence, warning_sentence
from tests import pictures
from unmask.errors import ERROR_CODES, UnmaskError
from unmask.images import open_picture
from unmask.settings import Settings

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
    error = {"code": "not_a_picture", "message": "The URL leads to a web page, not to a picture"}
    assert "web page" in error_sentence(texts_in("en"), error)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_warnings_of_a_picture_are_translated(language: str) -> None:
    for kind in ("GIF", "TIFF", "WEBP", "HEIF"):
        (warning,) = open_picture(pictures.animation(kind, 3), Settings()).warnings
        sentence = warning_sentence(texts_in(language), warning)
        assert "3" in sentence and sentence != warning
        main = warning_sentence(texts_in(language), "Only the main one of 3 pictures was examined.")
        assert (sentence == main) is (kind == "HEIF"), "the main one need not be the first"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_warning_about_skipped_faces_is_translated(language: str) -> None:
    warning = "Only the 32 largest of 45 faces were examined."
    sentence = warning_sentence(texts_in(language), warning)
    assert "32" in sentence and "45" in sentence and (sentence == warning) is (language == "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_warning_about_the_video_of_a_motion_photo_is_translated(language: str) -> None:
    photo = pictures.encoded(pictures.corners(), "JPEG") + pictures.video()
    (warning,) = open_picture(photo, Settings()).warnings
    assert (warning_sentence(texts_in(language), warning) == warning) is (language == "en")


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
