"""What must stand in no log and in no message: run last, over all that the shared bot ever said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bot.bot_process import Runner, Work, bot_within
from tests.bot.conftest import telegram_of
from tests.bot.image_asserts import Pixels, as_file, genuine
from tests.bot.telegram import Person, Telegram, running_telegram
from tests.server.server_process import Service as Place
from unmask.errors import Exit
from unmask.settings import Settings

pytestmark = pytest.mark.anyio


async def test_the_token_is_in_no_log_and_no_message(
    ada: Person, telegram: Telegram, shared_bot: Runner, portrait: Pixels
) -> None:
    """At DEBUG, with failures of every kind."""
    secret = telegram.token.partition(":")[2]
    for method in ("getFile", "file", "sendPhoto", "getUpdates"):
        for kind, value in (("status", 500), ("drop_before", 0), ("drop_after", 0)):
            telegram.faults.add(method, kind, value)
    await ada.sends_photo(as_file(genuine(portrait)))
    await ada.answer()
    await telegram.settled(1.0)
    ada.chat.taken = len(ada.written)
    said = shared_bot.said
    assert '"level": "debug"' in said and "httpx" in said, "the log is not at DEBUG"
    assert "/bot<token>/" in said or "bot<token>" in said, "URLs are logged, without the token"
    assert secret not in said
    for call in telegram.calls:
        assert secret not in str(call.params)
    assert shared_bot.process is not None
    command = Path(f"/proc/{shared_bot.process.pid}/cmdline").read_text()
    assert secret not in command


async def test_a_wrong_token_is_not_quoted(place: Place, tmp_path: Path) -> None:
    async with running_telegram(Telegram(5)) as telegram:
        wrong = "7000000005:AAWrongTokenThatTelegramDoesNotKnow_0123456"
        runner = Runner(place, telegram, tmp_path / "log", telegram_token=wrong)
        runner.begin()
        await telegram.until(lambda: not runner.runs, 30, "the end")
        assert runner.process is not None and runner.process.returncode not in (0, None)
        assert "AAWrong" not in runner.said and "token" in runner.said.lower()
        assert "Traceback" not in runner.said


async def test_no_token_at_all(place: Place, tmp_path: Path) -> None:
    telegram = Telegram(6)
    runner = Runner(place, telegram, tmp_path / "log", telegram_token="")
    runner.begin()
    await telegram.until(lambda: not runner.runs, 30, "the end")
    assert "BotFather" in runner.said and "Traceback" not in runner.said


async def test_settings_that_cannot_be(place: Place, tmp_path: Path) -> None:
    """Whoever keeps the bot running is told that only people can help."""
    runner = Runner(place, Telegram(6), tmp_path / "log", bot_admins="@ada")
    runner.begin()
    await runner.telegram.until(lambda: not runner.runs, 30, "the end")
    assert runner.process is not None and runner.process.returncode == Exit.MISCONFIGURED
    assert "UNMASK_BOT_ADMINS" in runner.said and "Traceback" not in runner.said


async def test_an_update_that_cannot_be_read(
    place: Place, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    """The bot goes on, and no log has what it says."""
    async with telegram_of(work, 9) as telegram:
        ada = Person(telegram, "Ada")
        async with bot_within(place, telegram):
            telegram.updates.add("message", {"message_id": 1, "text": "between you and me"})
            await ada.says("/help")
            assert "/check" in (await ada.answer()).text
            await telegram.settled()
    assert "no form that is known" in caplog.text and "between you" not in caplog.text


async def test_settings_do_not_show_secrets(place: Place) -> None:
    settings = place.settings(telegram_token="1:abcdefghij", bot_webhook_secret="hush-hush")
    assert isinstance(settings, Settings)
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert "abcdefghij" not in shown and "hush-hush" not in shown


async def test_an_error_nobody_foresaw(
    place: Place,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    portrait: Pixels,
) -> None:
    """The user is told something true, the operator everything else, under one number."""

    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the inner workings")

    monkeypatch.setattr("unmask.queue.CheckQueue.submit", broken)
    async with telegram_of(work, 7) as telegram:
        ada = Person(telegram, "Ada")
        async with bot_within(place, telegram):
            await ada.sends_photo(as_file(genuine(portrait)))
            answer = await ada.answer()
            await telegram.settled()
    assert "inner workings" not in answer.text and "ZeroDivision" not in answer.text
    assert any("ZeroDivisionError" in str(record.exc_info) for record in caplog.records)
    incident = [record.incident for record in caplog.records if hasattr(record, "incident")]
    assert any(f"went wrong on our side (incident {number})" in answer.text for number in incident)
