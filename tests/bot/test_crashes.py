"""kill -9 at every point, workers and Redis away: each accepted photo gets its one answer."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.bot_process import Runner, Work
from tests.bot.conftest import check_manners
from tests.bot.image_asserts import Judge, Pixels, as_file, faceless, genuine, tampered
from tests.bot.telegram import Message, Person, Telegram, running_telegram
from tests.server.server_process import Service as Place
from unmask.detector import SHIPPED_MODEL
from unmask.queue.valkey import EmbeddedValkey

pytestmark = pytest.mark.anyio


class Frail:
    """A service whose parts can be ended and started, and a bot of its own."""

    def __init__(self, folder: Path, telegram: Telegram) -> None:
        self.valkey = EmbeddedValkey(folder)
        self.place = Place(folder, SHIPPED_MODEL, self.valkey.ensure())
        self.telegram = telegram
        self.bot = Runner(self.place, telegram, folder / "bot.log")
        self.worker: subprocess.Popen[bytes] | None = None
        self.work = Work(self.place)

    def start_worker(self) -> None:
        environment = self.place.environment()
        self.worker = subprocess.Popen([sys.executable, "-m", "worker"], env=environment)

    def pause_worker(self) -> None:
        """It takes nothing and says nothing, as one that hangs."""
        assert self.worker is not None
        self.worker.send_signal(signal.SIGSTOP)

    def resume_worker(self) -> None:
        assert self.worker is not None
        self.worker.send_signal(signal.SIGCONT)

    async def commands_in(self, seconds: float) -> int:
        """How many commands Redis gets meanwhile."""
        before = self.work.commands()
        await asyncio.sleep(seconds)
        return self.work.commands() - before

    async def restart_bot(self) -> None:
        if self.bot.runs:
            self.bot.kill()
        await self.bot.start()

    def kill_redis(self) -> None:
        pid = self.valkey.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    async def start_redis(self) -> None:
        await asyncio.to_thread(self.valkey.ensure)

    async def close(self) -> None:
        if self.bot.runs:
            await self.bot.stop()
        if self.worker is not None:
            self.resume_worker()
            self.worker.terminate()
            await asyncio.to_thread(self.worker.wait, 30)
        self.work.close()
        self.valkey.stop()


@pytest.fixture(scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Frail]:
    telegram = Telegram(8)
    async with running_telegram(telegram):
        made = Frail(tmp_path_factory.mktemp("frail"), telegram)
        try:
            telegram.quiet.append(lambda: made.work.owes_nothing(telegram))
            made.start_worker()
            await made.bot.start()
            yield made
        finally:
            await made.close()


@pytest.fixture
async def frail(stage: Frail) -> AsyncIterator[Frail]:
    """The service with all its parts running; afterwards nothing is owed, and nothing was said that
    no test looked at."""
    since = len(stage.telegram.calls)
    if not stage.bot.runs:
        await stage.bot.start()
    yield stage
    stage.telegram.faults.clear()
    stage.resume_worker()
    await stage.telegram.settled()
    check_manners(stage.telegram, since)


@pytest.fixture
def ada(frail: Frail) -> Person:
    return Person(frail.telegram, "Ada")


async def answered_once(person: Person, judge: Judge, sent: Message) -> None:
    answer = await person.answer(120)
    assert answer.kind == "photo" and answer.reply_to is sent
    judge.check_annotated(answer.data, sent.data)
    await person.telegram.settled()
    assert not person.untaken


@pytest.mark.parametrize("method", ["setMessageReaction", "getFile", "file"])
async def test_killed_while_it_asks(
    frail: Frail, ada: Person, judge: Judge, portrait: Pixels, method: str
) -> None:
    """Before the reaction, before the download, and during it."""
    hold = frail.telegram.faults.add(method, "hold")
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    await frail.telegram.until(lambda: hold.met)
    frail.bot.kill()
    hold.released.set()
    await frail.restart_bot()
    await answered_once(ada, judge, sent)


async def test_killed_before_telegram_knows_that_updates_arrived(
    frail: Frail, ada: Person, judge: Judge, portrait: Pixels
) -> None:
    """The next poll, which confirms them, never reaches Telegram: all are delivered again."""
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    update = next(iter(frail.telegram.updates.pending.values()), None)
    answer = await ada.answer()
    judge.check_annotated(answer.data, sent.data)
    frail.bot.kill()
    number = frail.telegram.updates.confirmed[-1] if update is None else update["update_id"]
    frail.telegram.updates.repeat({"update_id": number, "message": sent.json})
    await frail.restart_bot()
    await frail.telegram.settled()
    assert not ada.untaken


async def test_killed_while_the_picture_waits(
    frail: Frail, ada: Person, judge: Judge, portrait: Pixels
) -> None:
    frail.pause_worker()
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    await frail.telegram.until(lambda: bool(frail.work.keys("rq:job:*")))
    frail.bot.kill()
    frail.resume_worker()
    await frail.work.until_idle()
    await frail.restart_bot()
    await answered_once(ada, judge, sent)


@pytest.mark.parametrize("arrived", [True, False])
async def test_killed_while_the_answer_leaves(
    frail: Frail, ada: Person, judge: Judge, portrait: Pixels, arrived: bool
) -> None:
    """The bot cannot know whether it arrived: it comes again, and says that it may be twice."""
    fault = frail.telegram.faults.add("sendPhoto", "hold_answer" if arrived else "hold")
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    await frail.telegram.until(lambda: fault.met)
    if arrived:
        judge.check_annotated((await ada.answer()).data, sent.data)
    frail.bot.kill()
    fault.released.set()
    await frail.restart_bot()
    again = await ada.answer()
    judge.check_annotated(again.data, sent.data)
    assert "you may see this twice" in again.text
    await frail.telegram.settled()
    assert not ada.untaken


async def test_killed_with_half_an_album(
    frail: Frail, ada: Person, judge: Judge, portrait: Pixels
) -> None:
    telegram = frail.telegram
    album = telegram.new_album()
    first = await ada.sends_photo(as_file(tampered(portrait)), album=album)
    await telegram.until(lambda: not telegram.updates.pending)
    frail.bot.kill()
    second = await ada.sends_photo(as_file(genuine(portrait)), album=album)
    await frail.restart_bot()
    shown = []
    await telegram.until(lambda: len([m for m in ada.written if m.kind == "photo"]) == 2)
    await telegram.settled(0.5)
    shown = [message for message in ada.untaken if message.kind == "photo"]
    ada.chat.taken = len(ada.written)
    for answer, sent in zip(shown, (first, second), strict=True):
        judge.check_annotated(answer.data, sent.data)


async def test_killed_again_and_again(frail: Frail, judge: Judge, portrait: Pixels) -> None:
    """Ten people, and a bot that dies at any moment."""
    people = [Person(frail.telegram, f"Person {number}") for number in range(10)]
    sent = []
    for number, person in enumerate(people):
        sent.append(await person.sends_photo(as_file(tampered(portrait))))
        if number % 3 == 2:
            calls = len(frail.telegram.calls)
            await frail.telegram.until(lambda before=calls: len(frail.telegram.calls) > before + 2)  # type: ignore[misc]
            await frail.restart_bot()
    for person, one in zip(people, sent, strict=True):
        judge.check_annotated((await person.answer(120)).data, one.data)
    await frail.telegram.settled(0.5)
    for person in people:
        for again in person.untaken:
            assert "you may see this twice" in again.text
        person.chat.taken = len(person.written)


async def test_stopped_in_order(frail: Frail, ada: Person, judge: Judge, portrait: Pixels) -> None:
    frail.pause_worker()
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    await frail.telegram.until(lambda: bool(frail.work.keys("rq:job:*")))
    assert await frail.bot.stop() == 0
    frail.resume_worker()
    later = await ada.sends_photo(as_file(genuine(portrait)))
    await frail.bot.start()
    answers = {answer.reply_to.id: answer for answer in await ada.answers(2) if answer.reply_to}
    for one in (sent, later):
        judge.check_annotated(answers[one.id].data, one.data)


async def test_no_worker_for_a_while(
    frail: Frail, ada: Person, judge: Judge, portrait: Pixels
) -> None:
    assert frail.worker is not None
    frail.worker.kill()
    frail.worker.wait(10)
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    await ada.says("/help")
    assert "/check" in (await ada.answer()).text, "the bot itself goes on"
    frail.start_worker()
    await answered_once(ada, judge, sent)


@pytest.mark.parametrize("moment", ["before", "while it waits", "before the answer"])
async def test_redis_is_away_for_a_moment(
    frail: Frail, ada: Person, judge: Judge, portrait: Pixels, moment: str
) -> None:
    telegram = frail.telegram
    if moment == "before":
        frail.kill_redis()
        sent = await ada.sends_photo(as_file(tampered(portrait)))
        polls = len(telegram.called("getUpdates"))
        await telegram.until(
            lambda: len(telegram.called("getUpdates")) > polls or not frail.bot.runs
        )
    elif moment == "while it waits":
        frail.pause_worker()
        sent = await ada.sends_photo(as_file(tampered(portrait)))
        await telegram.until(lambda: bool(frail.work.keys("rq:job:*")))
        frail.kill_redis()
        frail.resume_worker()
    else:
        hold = telegram.faults.add("sendPhoto", "hold")
        sent = await ada.sends_photo(as_file(tampered(portrait)))
        await telegram.until(lambda: hold.met)
        frail.kill_redis()
        hold.released.set()
    await asyncio.sleep(0.5)
    await frail.start_redis()
    await answered_once(ada, judge, sent)


async def test_killed_while_redis_is_away(
    frail: Frail, ada: Person, judge: Judge, portrait: Pixels
) -> None:
    hold = frail.telegram.faults.add("getFile", "hold")
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    await frail.telegram.until(lambda: hold.met)
    await asyncio.sleep(1.2)  # Valkey writes its log each second
    frail.kill_redis()
    frail.bot.kill()
    hold.released.set()
    await frail.start_redis()
    await frail.bot.start()
    await answered_once(ada, judge, sent)


async def test_open_checks_take_no_connections(frail: Frail, portrait: Pixels) -> None:
    """One listens for all of them, and nothing is asked again and again."""
    idle = await frail.commands_in(2)
    frail.pause_worker()
    people = [Person(frail.telegram, f"Person {number}") for number in range(20)]
    sent = [await person.sends_photo(as_file(tampered(portrait))) for person in people]
    await frail.telegram.until(lambda: len(frail.work.checks_of(frail.telegram)) == len(people))
    listening = [client for client in frail.work.clients() if client["sub"] != "0"]
    assert len(listening) == 1
    waiting = await frail.commands_in(2)
    assert waiting < idle + len(people), "each check is asked about"
    frail.resume_worker()
    for person, one in zip(people, sent, strict=True):
        assert (await person.answer(120)).reply_to is one


async def test_two_bots_do_not_both_answer(
    frail: Frail, ada: Person, judge: Judge, portrait: Pixels, tmp_path: Path
) -> None:
    second = Runner(frail.place, frail.telegram, tmp_path / "log")
    second.begin()
    await frail.telegram.until(lambda: "waiting" in second.said, 30, "a second bot that waits")
    assert await second.stop() == 0, "it can be told to stop waiting"
    second = Runner(frail.place, frail.telegram, tmp_path / "again")
    second.begin()
    try:
        await frail.telegram.until(lambda: "waiting" in second.said, 30, "a second bot that waits")
        sent = await ada.sends_photo(as_file(tampered(portrait)))
        await answered_once(ada, judge, sent)
        frail.bot.kill()
        await frail.telegram.until(lambda: "ready @" in second.said, 60, "the second's turn")
        sent = await ada.sends_photo(as_file(genuine(portrait)))
        await answered_once(ada, judge, sent)
    finally:
        if second.runs:
            await second.stop()


async def test_a_picture_that_ends_the_bot_each_time_is_given_up(frail: Frail, ada: Person) -> None:
    """And the person is told."""
    hold = frail.telegram.faults.add("getFile", "hold", times=20)
    await ada.sends_photo(as_file(faceless()))
    for start in range(20):
        await frail.telegram.until(lambda seen=start: hold.met > seen or ada.untaken)  # type: ignore[misc]
        if ada.untaken:
            break
        await frail.restart_bot()
    answer = await ada.answer()
    assert answer.kind == "text" and "given up" in answer.text
