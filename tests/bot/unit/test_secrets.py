"""The token: found in no log line, whoever wrote it; and the path of a webhook."""

from __future__ import annotations

import json
import logging

import pytest
from telegram.error import InvalidToken

from bot.transport.token import TokenError, bot_id, derived, token_of
from bot.transport.webhook import BadWebhookError, checked_path
from unmask.logs import JsonLines, redacted
from unmask.settings import Settings

TOKEN = "7000000001:AAFakeTokenForTheTestsOfUnmask_0123456789"
SECRET = "a-secret-of-ones-own"


def line(record: logging.LogRecord) -> str:
    return JsonLines(SECRET).format(record)


def made(text: str, *arguments: object, fault: BaseException | None = None) -> logging.LogRecord:
    info = (type(fault), fault, fault.__traceback__) if fault else None
    return logging.LogRecord("httpx", logging.INFO, "x.py", 1, text, arguments, info)


@pytest.mark.parametrize(
    "text",
    [
        f"POST https://api.telegram.org/bot{TOKEN}/sendPhoto",
        f"https://api.telegram.org/file/bot{TOKEN}/photos/file_1.jpg",
        f"bot{TOKEN.replace(':', '%3A')}/getMe",
        "a secret of one's own: " + SECRET,
    ],
)
def test_no_line_has_it(text: str) -> None:
    told = line(made("HTTP Request: %s", text))
    assert TOKEN.partition(":")[2] not in told and SECRET not in told
    assert json.loads(told)["level"] == "info"


def test_no_error_has_it() -> None:
    try:
        try:
            raise OSError(f"cannot reach https://api.telegram.org/bot{TOKEN}/getMe")
        except OSError as cause:
            raise InvalidToken(f"The token `{TOKEN}` was rejected") from cause
    except InvalidToken as fault:
        told = line(made("failed", fault=fault))
    assert "AAFake" not in told
    assert json.loads(told)["exception"] == ["InvalidToken", "OSError"]


def test_what_comes_along_with_a_line_is_redacted_too() -> None:
    record = made("x")
    record.why = f"bot{TOKEN}"
    assert "AAFake" not in line(record)
    assert redacted("12:34 is a time, 2026:11 too") == "12:34 is a time, 2026:11 too"


def test_settings_do_not_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_TOKEN", TOKEN)
    settings = Settings()
    assert "AAFake" not in repr(settings) and "AAFake" not in settings.model_dump_json()
    assert token_of(settings) == TOKEN and bot_id(TOKEN) == 7000000001


@pytest.mark.parametrize("token", ["", " ", "x", "1234", "abc:def", "1:\n"])
def test_what_is_no_token(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("UNMASK_TELEGRAM_TOKEN", token)
    with pytest.raises(TokenError, match="TELEGRAM_TOKEN"):
        token_of(Settings())


def test_secrets_made_from_the_token_differ_by_purpose() -> None:
    secrets = {derived(TOKEN, purpose) for purpose in ("webhook", "feedback")}
    assert len(secrets) == 2 and not any("AAFake" in secret for secret in secrets)


@pytest.mark.parametrize(
    "url",
    [
        "http://bot.example.org/hook",
        "https://bot.example.org",
        "https://bot.example.org/",
        "https:///hook",
        f"https://bot.example.org/{TOKEN}",
        f"https://bot.example.org/{TOKEN.partition(':')[2]}",
    ],
)
def test_a_webhook_that_cannot_be(url: str) -> None:
    with pytest.raises(BadWebhookError) as refused:
        checked_path(url, TOKEN)
    assert "AAFake" not in str(refused.value)


def test_the_path_of_a_webhook() -> None:
    assert checked_path("https://bot.example.org:8443/some/hook?x=1", TOKEN) == "/some/hook"
