"""The token stays out of every log line, whichever library writes it; the path of a webhook."""

from __future__ import annotations

import json
import logging

import pytest
from telegram.error import InvalidToken

from bot.transport.token import TokenError, bot_id, derived, token_of
from bot.transport.webhook import BadWebhookError, webhook_path
from unmask.logs import JsonLines, redacted
from unmask.settings import Settings

TOKEN = "7000000001:AAFakeTokenForTheTestsOfUnmask_0123456789"
SECRET = "a-secret-of-the-operator"


def line(record: logging.LogRecord) -> str:
    return JsonLines(SECRET).format(record)


def record_of(
    text: str, *arguments: object, error: BaseException | None = None
) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("httpx", logging.INFO, "x.py", 1, text, arguments, info)


@pytest.mark.parametrize(
    "text",
    [
        f"POST https://api.telegram.org/bot{TOKEN}/sendPhoto",
        f"https://api.telegram.org/file/bot{TOKEN}/photos/file_1.jpg",
        f"bot{TOKEN.replace(':', '%3A')}/getMe",
        "a secret of the operator's own: " + SECRET,
    ],
)
def test_no_log_line_has_the_token(text: str) -> None:
    logged = line(record_of("HTTP Request: %s", text))
    assert TOKEN.partition(":")[2] not in logged and SECRET not in logged
    assert json.loads(logged)["level"] == "info"


def test_no_logged_error_has_the_token() -> None:
    try:
        try:
            raise OSError(f"cannot reach https://api.telegram.org/bot{TOKEN}/getMe")
        except OSError as cause:
            raise InvalidToken(f"The token `{TOKEN}` was rejected") from cause
    except InvalidToken as error:
        logged = line(record_of("failed", error=error))
    assert "AAFake" not in logged
    assert json.loads(logged)["exception"] == ["InvalidToken", "OSError"]


def test_extra_fields_are_redacted_too() -> None:
    record = record_of("x")
    record.why = f"bot{TOKEN}"
    assert "AAFake" not in line(record)
    assert redacted("12:34 is a time, 2026:11 too") == "12:34 is a time, 2026:11 too"


def test_settings_do_not_show_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_TOKEN", TOKEN)
    settings = Settings()
    assert "AAFake" not in repr(settings) and "AAFake" not in settings.model_dump_json()
    assert token_of(settings) == TOKEN and bot_id(TOKEN) == 7000000001


@pytest.mark.parametrize("token", ["", " ", "x", "1234", "abc:def", "1:\n"])
def test_a_malformed_token(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("UNMASK_TELEGRAM_TOKEN", token)
    with pytest.raises(TokenError, match="TELEGRAM_TOKEN"):
        token_of(Settings())


def test_derived_secrets_differ_by_purpose() -> None:
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
def test_an_unusable_webhook(url: str) -> None:
    with pytest.raises(BadWebhookError) as refused:
        webhook_path(url, TOKEN)
    assert "AAFake" not in str(refused.value)


def test_the_path_of_a_webhook() -> None:
    assert webhook_path("https://bot.example.org:8443/some/hook?x=1", TOKEN) == "/some/hook"
