"""What must stand in no log and in no message: run last, over all that the shared bot ever said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bot.conftest import telegram_of
from tests.bot.sight import Pixels, as_file, genuine
from tests.bot.stage import Runner, Work, bot_within
from tests.bot.telegram import Person, Telegram, running_telegram
from tests.server.place import Place
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

    monkeypatch.setattr("unmask.queue.Checks.submit", broken)
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
