"""Secrets and personal texts stay out of logs and messages; errors name an incident number."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bot.bot_process import BotProcess, QueueProbe, bot_within
from tests.bot.conftest import check_no_secret, telegram_of
from tests.bot.image_asserts import Pixels, as_file, genuine
from tests.bot.telegram import Person, Telegram, running_telegram
from tests.server.server_process import Service
from unmask.errors import Exit
from unmask.settings import Settings

pytestmark = pytest.mark.anyio


async def test_the_token_is_in_no_log_and_no_message(
    ada: Person, telegram: Telegram, shared_bot: BotProcess, portrait: Pixels
) -> None:
    """At DEBUG, with failures of every kind. The fixture of the bot checks its whole log."""
    secret = telegram.token.partition(":")[2]
    for method in ("getFile", "file", "sendPhoto", "getUpdates"):
        for kind, value in (("status", 500), ("drop_before", 0), ("drop_after", 0)):
            telegram.faults.add(method, kind, value)
    await ada.sends_photo(as_file(genuine(portrait)))
    await ada.answer()
    await telegram.settled(1.0)
    ada.chat.read_count = len(ada.written)
    log = shared_bot.log_text
    assert '"level": "debug"' in log and "httpx" in log, "the log is not at DEBUG"
    assert "HTTP Request: %s" in log, "requests are logged, without the URL that is filled in"
    check_no_secret(shared_bot)
    assert shared_bot.process is not None
    command = Path(f"/proc/{shared_bot.process.pid}/cmdline").read_text()
    assert secret not in command


async def test_a_wrong_token_is_not_quoted(service: Service, tmp_path: Path) -> None:
    async with running_telegram(Telegram(5)) as telegram:
        wrong = "7000000005:AAWrongTokenThatTelegramDoesNotKnow_0123456"
        bot = BotProcess(service, telegram, tmp_path / "log", telegram_token=wrong)
        bot.launch()
        await telegram.until(lambda: not bot.is_running, 30, "the end")
        assert bot.process is not None and bot.process.returncode not in (0, None)
        assert "AAWrong" not in bot.log_text and "token" in bot.log_text.lower()
        assert "Traceback" not in bot.log_text


async def test_no_token_at_all(service: Service, tmp_path: Path) -> None:
    telegram = Telegram(6)
    bot = BotProcess(service, telegram, tmp_path / "log", telegram_token="")
    bot.launch()
    await telegram.until(lambda: not bot.is_running, 30, "the end")
    assert "BotFather" in bot.log_text and "Traceback" not in bot.log_text


async def test_invalid_settings(service: Service, tmp_path: Path) -> None:
    """The exit status tells a supervisor that a restart does not help."""
    bot = BotProcess(service, Telegram(6), tmp_path / "log", bot_admins="@ada")
    bot.launch()
    await bot.telegram.until(lambda: not bot.is_running, 30, "the end")
    assert bot.process is not None and bot.process.returncode == Exit.MISCONFIGURED
    assert "UNMASK_BOT_ADMINS" in bot.log_text and "Traceback" not in bot.log_text


async def test_an_update_that_cannot_be_read(
    service: Service, queue: QueueProbe, caplog: pytest.LogCaptureFixture
) -> None:
    """The bot goes on, and its text gets into no log."""
    async with telegram_of(queue, 9) as telegram:
        ada = Person(telegram, "Ada")
        async with bot_within(service, telegram):
            telegram.updates.add("message", {"message_id": 1, "text": "between you and me"})
            await ada.says("/help")
            assert "/check" in (await ada.answer()).text
            await telegram.settled()
    assert "unknown form" in caplog.text and "between you" not in caplog.text


async def test_settings_do_not_show_secrets(service: Service) -> None:
    settings = service.settings(telegram_token="1:abcdefghij", bot_webhook_secret="hush-hush")
    assert isinstance(settings, Settings)
    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert "abcdefghij" not in text and "hush-hush" not in text


async def test_an_unexpected_error(
    service: Service,
    queue: QueueProbe,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    portrait: Pixels,
) -> None:
    """The user gets an incident number, under which the log has the details."""

    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the inner workings")

    monkeypatch.setattr("unmask.queue.check_queue.CheckQueue.submit", broken)
    async with telegram_of(queue, 7) as telegram:
        ada = Person(telegram, "Ada")
        async with bot_within(service, telegram):
            await ada.sends_photo(as_file(genuine(portrait)))
            answer = await ada.answer()
            await telegram.settled()
    assert "inner workings" not in answer.text and "ZeroDivision" not in answer.text
    assert any("ZeroDivisionError" in str(record.exc_info) for record in caplog.records)
    incidents = [record.incident for record in caplog.records if hasattr(record, "incident")]
    assert any(f"went wrong on our side (incident {number})" in answer.text for number in incidents)
