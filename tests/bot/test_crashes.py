"""kill -9 at every point, workers and Redis away: each accepted photo gets exactly one reply."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.bot_process import BotProcess, QueueProbe
from tests.bot.conftest import check_manners
from tests.bot.image_asserts import Pixels, ReferenceDetector, as_file, faceless, genuine, tampered
from tests.bot.telegram import Message, Person, Telegram, running_telegram
from tests.server.server_process import Service
from unmask.queue.valkey import EmbeddedValkey
from unmask.settings import SHIPPED_MODEL

pytestmark = pytest.mark.anyio


class CrashableService:
    """A service with a bot of its own; a test can kill and start each part."""

    def __init__(self, folder: Path, telegram: Telegram) -> None:
        self.valkey = EmbeddedValkey(folder)
        self.service = Service(folder, SHIPPED_MODEL, self.valkey.ensure())
        self.telegram = telegram
        self.bot = BotProcess(self.service, telegram, folder / "bot.log")
        self.worker: subprocess.Popen[bytes] | None = None
        self.queue = QueueProbe(self.service)

    def start_worker(self) -> None:
        environment = self.service.environment()
        self.worker = subprocess.Popen([sys.executable, "-m", "worker"], env=environment)

    def pause_worker(self) -> None:
        """It takes no job and gives no sign of life, like a process that hangs."""
        assert self.worker is not None
        self.worker.send_signal(signal.SIGSTOP)

    def resume_worker(self) -> None:
        assert self.worker is not None
        self.worker.send_signal(signal.SIGCONT)

    async def commands_in(self, seconds: float) -> int:
        """How many commands Redis gets in some seconds."""
        before = self.queue.commands()
        await asyncio.sleep(seconds)
        return self.queue.commands() - before

    async def restart_bot(self) -> None:
        if self.bot.is_running:
            self.bot.kill()
        await self.bot.start()

    def kill_redis(self) -> None:
        pid = self.valkey.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    async def start_redis(self) -> None:
        await asyncio.to_thread(self.valkey.ensure)

    async def close(self) -> None:
        if self.bot.is_running:
            await self.bot.stop()
        if self.worker is not None:
            self.resume_worker()
            self.worker.terminate()
            await asyncio.to_thread(self.worker.wait, 30)
        self.queue.close()
        self.valkey.stop()


@pytest.fixture(scope="module")
async def shared_crashable(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[CrashableService]:
    telegram = Telegram(8)
    async with running_telegram(telegram):
        crashable = CrashableService(tmp_path_factory.mktemp("frail"), telegram)
        try:
            telegram.idle_conditions.append(lambda: crashable.queue.owes_nothing(telegram))
            crashable.start_worker()
            await crashable.bot.start()
            yield crashable
        finally:
            await crashable.close()


@pytest.fixture
async def crashable(shared_crashable: CrashableService) -> AsyncIterator[CrashableService]:
    """The service with all its parts running. After the test no reply is owed, and the bot wrote
    nothing that the test did not read."""
    since = len(shared_crashable.telegram.calls)
    if not shared_crashable.bot.is_running:
        await shared_crashable.bot.start()
    yield shared_crashable
    shared_crashable.telegram.faults.clear()
    shared_crashable.resume_worker()
    await shared_crashable.telegram.settled()
    check_manners(shared_crashable.telegram, since)


@pytest.fixture
def ada(crashable: CrashableService) -> Person:
    return Person(crashable.telegram, "Ada")


async def check_answered_once(person: Person, detector: ReferenceDetector, sent: Message) -> None:
    answer = await person.answer(120)
    assert answer.kind == "photo" and answer.reply_to is sent
    detector.check_annotated(answer.data, sent.data)
    await person.telegram.settled()
    assert not person.unread


@pytest.mark.parametrize("method", ["setMessageReaction", "getFile", "file"])
async def test_killed_during_a_call_to_telegram(
    crashable: CrashableService,
    ada: Person,
    detector: ReferenceDetector,
    portrait: Pixels,
    method: str,
) -> None:
    """Before the reaction, before the download, and during it."""
    hold = crashable.telegram.faults.add(method, "hold")
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    await crashable.telegram.until(lambda: hold.met)
    crashable.bot.kill()
    hold.released.set()
    await crashable.restart_bot()
    await check_answered_once(ada, detector, sent)


async def test_killed_before_telegram_knows_that_updates_arrived(
    crashable: CrashableService, ada: Person, detector: ReferenceDetector, portrait: Pixels
) -> None:
    """The next poll, which confirms them, never reaches Telegram: all are delivered again."""
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    update = next(iter(crashable.telegram.updates.pending.values()), None)
    answer = await ada.answer()
    detector.check_annotated(answer.data, sent.data)
    crashable.bot.kill()
    number = crashable.telegram.updates.confirmed[-1] if update is None else update["update_id"]
    crashable.telegram.updates.repeat({"update_id": number, "message": sent.json})
    await crashable.restart_bot()
    await crashable.telegram.settled()
    assert not ada.unread


async def test_killed_while_the_picture_waits(
    crashable: CrashableService, ada: Person, detector: ReferenceDetector, portrait: Pixels
) -> None:
    crashable.pause_worker()
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    await crashable.telegram.until(lambda: bool(crashable.queue.keys("rq:job:*")))
    crashable.bot.kill()
    crashable.resume_worker()
    await crashable.queue.until_idle()
    await crashable.restart_bot()
    await check_answered_once(ada, detector, sent)


@pytest.mark.parametrize("arrived", [True, False])
async def test_killed_while_the_reply_is_sent(
    crashable: CrashableService,
    ada: Person,
    detector: ReferenceDetector,
    portrait: Pixels,
    arrived: bool,
) -> None:
    """The bot cannot know whether it arrived: it sends it again, and says so."""
    fault = crashable.telegram.faults.add("sendPhoto", "hold_answer" if arrived else "hold")
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    await crashable.telegram.until(lambda: fault.met)
    if arrived:
        detector.check_annotated((await ada.answer()).data, sent.data)
    crashable.bot.kill()
    fault.released.set()
    await crashable.restart_bot()
    again = await ada.answer()
    detector.check_annotated(again.data, sent.data)
    assert "you may see this twice" in again.text
    await crashable.telegram.settled()
    assert not ada.unread


async def test_killed_with_half_an_album(
    crashable: CrashableService, ada: Person, detector: ReferenceDetector, portrait: Pixels
) -> None:
    telegram = crashable.telegram
    album = telegram.new_album()
    first = await ada.sends_photo(as_file(tampered(portrait)), album=album)
    await telegram.until(lambda: not telegram.updates.pending)
    crashable.bot.kill()
    second = await ada.sends_photo(as_file(genuine(portrait)), album=album)
    await crashable.restart_bot()
    await telegram.until(lambda: len([m for m in ada.written if m.kind == "photo"]) == 2)
    await telegram.settled(0.5)
    photos = [message for message in ada.unread if message.kind == "photo"]
    ada.chat.read_count = len(ada.written)
    for answer, sent in zip(photos, (first, second), strict=True):
        detector.check_annotated(answer.data, sent.data)


async def test_killed_again_and_again(
    crashable: CrashableService, detector: ReferenceDetector, portrait: Pixels
) -> None:
    """Ten users, and a bot that crashes at any moment."""
    people = [Person(crashable.telegram, f"Person {number}") for number in range(10)]
    sent = []
    for number, person in enumerate(people):
        sent.append(await person.sends_photo(as_file(tampered(portrait))))
        if number % 3 == 2:
            calls, before = crashable.telegram.calls, len(crashable.telegram.calls)
            await crashable.telegram.until(lambda c=calls, n=before: len(c) > n + 2)  # type: ignore[misc]
            await crashable.restart_bot()
    for person, one in zip(people, sent, strict=True):
        detector.check_annotated((await person.answer(120)).data, one.data)
    await crashable.telegram.settled(0.5)
    for person in people:
        for again in person.unread:
            assert "you may see this twice" in again.text
        person.chat.read_count = len(person.written)


async def test_stopped_in_order(
    crashable: CrashableService, ada: Person, detector: ReferenceDetector, portrait: Pixels
) -> None:
    crashable.pause_worker()
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    await crashable.telegram.until(lambda: bool(crashable.queue.keys("rq:job:*")))
    assert await crashable.bot.stop() == 0
    crashable.resume_worker()
    second = await ada.sends_photo(as_file(genuine(portrait)))
    await crashable.bot.start()
    answers = {answer.reply_to.id: answer for answer in await ada.answers(2) if answer.reply_to}
    for one in (sent, second):
        detector.check_annotated(answers[one.id].data, one.data)


async def test_no_worker_for_a_while(
    crashable: CrashableService, ada: Person, detector: ReferenceDetector, portrait: Pixels
) -> None:
    assert crashable.worker is not None
    crashable.worker.kill()
    crashable.worker.wait(60)
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    await ada.says("/help")
    assert "/check" in (await ada.answer()).text, "the bot itself goes on"
    crashable.start_worker()
    await check_answered_once(ada, detector, sent)


@pytest.mark.parametrize("moment", ["before", "while it waits", "before the answer"])
async def test_redis_is_away_for_a_moment(
    crashable: CrashableService,
    ada: Person,
    detector: ReferenceDetector,
    portrait: Pixels,
    moment: str,
) -> None:
    telegram = crashable.telegram
    if moment == "before":
        crashable.kill_redis()
        sent = await ada.sends_photo(as_file(tampered(portrait)))
        polls = len(telegram.called("getUpdates"))
        await telegram.until(
            lambda: len(telegram.called("getUpdates")) > polls or not crashable.bot.is_running
        )
    elif moment == "while it waits":
        crashable.pause_worker()
        sent = await ada.sends_photo(as_file(tampered(portrait)))
        await telegram.until(lambda: bool(crashable.queue.keys("rq:job:*")))
        crashable.kill_redis()
        crashable.resume_worker()
    else:
        hold = telegram.faults.add("sendPhoto", "hold")
        sent = await ada.sends_photo(as_file(tampered(portrait)))
        await telegram.until(lambda: hold.met)
        crashable.kill_redis()
        hold.released.set()
    await asyncio.sleep(0.5)
    await crashable.start_redis()
    await check_answered_once(ada, detector, sent)


async def test_killed_while_redis_is_away(
    crashable: CrashableService, ada: Person, detector: ReferenceDetector, portrait: Pixels
) -> None:
    hold = crashable.telegram.faults.add("getFile", "hold")
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    await crashable.telegram.until(lambda: hold.met)
    await asyncio.sleep(1.2)  # Valkey writes its log each second
    crashable.kill_redis()
    crashable.bot.kill()
    hold.released.set()
    await crashable.start_redis()
    await crashable.bot.start()
    await check_answered_once(ada, detector, sent)


async def test_open_checks_take_no_connections(
    crashable: CrashableService, portrait: Pixels
) -> None:
    """One connection listens for all of them, and the bot does not poll."""
    idle = await crashable.commands_in(2)
    crashable.pause_worker()
    people = [Person(crashable.telegram, f"Person {number}") for number in range(20)]
    sent = [await person.sends_photo(as_file(tampered(portrait))) for person in people]
    await crashable.telegram.until(
        lambda: len(crashable.queue.checks_of(crashable.telegram)) == len(people)
    )
    listening = [client for client in crashable.queue.clients() if client["sub"] != "0"]
    assert len(listening) == 1
    waiting = await crashable.commands_in(2)
    assert waiting < idle + len(people), "the bot polls"
    crashable.resume_worker()
    for person, one in zip(people, sent, strict=True):
        assert (await person.answer(120)).reply_to is one


async def test_two_bots_do_not_both_answer(
    crashable: CrashableService,
    ada: Person,
    detector: ReferenceDetector,
    portrait: Pixels,
    tmp_path: Path,
) -> None:
    second = BotProcess(crashable.service, crashable.telegram, tmp_path / "log")
    second.launch()
    await crashable.telegram.until(
        lambda: "waiting" in second.log_text, 30, "a second bot that waits"
    )
    assert await second.stop() == 0, "SIGTERM ends its wait"
    second = BotProcess(crashable.service, crashable.telegram, tmp_path / "again")
    second.launch()
    try:
        await crashable.telegram.until(
            lambda: "waiting" in second.log_text, 30, "a second bot that waits"
        )
        sent = await ada.sends_photo(as_file(tampered(portrait)))
        await check_answered_once(ada, detector, sent)
        crashable.bot.kill()
        await crashable.telegram.until(
            lambda: "ready @" in second.log_text, 60, "that the second takes over"
        )
        sent = await ada.sends_photo(as_file(genuine(portrait)))
        await check_answered_once(ada, detector, sent)
    finally:
        if second.is_running:
            await second.stop()


async def test_a_picture_that_ends_the_bot_each_time_is_given_up(
    crashable: CrashableService, ada: Person
) -> None:
    """And the user is told."""
    hold = crashable.telegram.faults.add("getFile", "hold", times=20)
    await ada.sends_photo(as_file(faceless()))
    for start in range(20):
        await crashable.telegram.until(lambda seen=start: hold.met > seen or ada.unread)  # type: ignore[misc]
        if ada.unread:
            break
        await crashable.restart_bot()
    answer = await ada.answer()
    assert answer.kind == "text" and "given up" in answer.text
