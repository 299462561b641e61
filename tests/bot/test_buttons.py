"""What stands below an answer: each button does its work, for whom it is, also later."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bot.bot_process import COMMAND, Runner, Work, bot_within
from tests.bot.conftest import Site, check_manners, launched, telegram_of
from tests.bot.image_asserts import Judge, Pixels, as_file, decoded, genuine, tampered
from tests.bot.telegram import Group, Json, Message, Person, Telegram
from tests.server.server_process import Service as Place

pytestmark = pytest.mark.anyio


class Asked:
    """A file that was sent, and the bot's answer."""

    def __init__(self, data: bytes, sent: Message, answer: Message) -> None:
        self.data = data
        self.sent = sent
        self.answer = answer

    def token(self, label: str) -> str:
        return str(self.answer.button(label)["callback_data"])


async def ask(person: Person, portrait: Pixels, to: Group | None = None) -> Asked:
    data = as_file(tampered(portrait))
    sent = await person.sends_file(data, caption="/check" if to else "", to=to)
    answer = await (to or person).answer()
    assert answer.kind == "photo"
    return Asked(data, sent, answer)


async def test_the_mask(ada: Person, judge: Judge, portrait: Pixels) -> None:
    asked = await ask(ada, portrait)
    await ada.presses(asked.answer, "Mask")
    shown = await ada.answer()
    assert judge.check_mask(shown.data, asked.data).mask().any()


async def test_the_heatmap(ada: Person, judge: Judge, portrait: Pixels) -> None:
    asked = await ask(ada, portrait)
    await ada.presses(asked.answer, "Heatmap")
    assert judge.check_heatmap((await ada.answer()).data, asked.data).heatmap().any()


async def test_the_original_size(ada: Person, judge: Judge, portrait: Pixels) -> None:
    asked = await ask(ada, portrait)
    await ada.presses(asked.answer, "Original size")
    shown = await ada.answer()
    assert shown.kind == "document"
    judge.check_annotated(shown.data, asked.data)
    assert decoded(shown.data).shape == decoded(asked.data).shape


async def test_the_full_report(ada: Person, work: Work, portrait: Pixels) -> None:
    asked = await ask(ada, portrait)
    url = asked.answer.button("Full report")["url"]
    assert url.startswith("https://unmask.example.org/c/")
    assert work.keys(f"unmask:check:{url.rpartition('/')[2]}")


async def test_each_picture_of_an_album_has_its_buttons(
    ada: Person, judge: Judge, portrait: Pixels
) -> None:
    made = [as_file(tampered(portrait)), as_file(genuine(portrait))]
    await ada.sends_album(made, files=True)
    *_, below = await ada.answers(3)
    for label, data in (("1", made[0]), ("2", made[1]), ("1", made[0])):
        if not below.has_button("Mask"):
            await ada.presses(below, label)
        await ada.telegram.until(lambda: below.has_button("Mask"))
        await ada.presses(below, "Mask")
        judge.check_mask((await ada.answer()).data, data)
        await ada.presses(below, "All pictures")
        await ada.telegram.until(lambda: not below.has_button("Mask"))


async def test_all_buttons_work_after_a_restart(
    ada: Person, shared_bot: Runner, site: Site, judge: Judge, portrait: Pixels
) -> None:
    asked = await ask(ada, portrait)
    await shared_bot.stop()
    await shared_bot.start(*launched(site))
    await ada.presses(asked.answer, "Mask")
    judge.check_mask((await ada.answer()).data, asked.data)
    await ada.presses(asked.answer, "Heatmap")
    judge.check_heatmap((await ada.answer()).data, asked.data)
    await ada.presses(asked.answer, "Original size")
    judge.check_annotated((await ada.answer()).data, asked.data)
    await ada.presses(asked.answer, "Wrong verdict?")
    question = await ada.answer()
    await shared_bot.stop()
    await shared_bot.start(*launched(site))
    await ada.presses(question, "It is genuine")


async def test_feedback_keeps_the_photo_with_consent_alone(
    ada: Person, someone: Callable[..., Person], place: Place, portrait: Pixels
) -> None:
    for person, consent, kept in (
        (ada, "Only the verdict", False),
        (someone("Bob"), "Keep the photo too", True),
    ):
        asked = await ask(person, portrait)
        before = _files(place)
        await person.presses(asked.answer, "Wrong verdict?")
        question = await person.answer()
        await person.presses(question, "It is genuine")
        await person.telegram.until(lambda q=question: q.has_button("Keep the photo"))  # type: ignore[misc]
        assert _files(place) == before, "nothing is kept before the answer"
        await person.presses(question, consent)
        await person.telegram.until(lambda q=question: not q.buttons)  # type: ignore[misc]
        new = _files(place) - before
        assert (asked.data in _read(new)) is kept, sorted(new)


def _files(place: Place) -> set[str]:
    return {str(path) for path in place.data.rglob("*") if path.is_file()}


def _read(paths: set[str]) -> list[bytes]:
    return [Path(path).read_bytes() for path in paths]


async def test_feedback_can_be_read_and_taken_back(
    ada: Person, telegram: Telegram, place: Place, portrait: Pixels
) -> None:
    asked = await ask(ada, portrait)
    await ada.presses(asked.answer, "Wrong verdict?")
    question = await ada.answer()
    for label in ("It is manipulated", "Keep the photo too"):
        await ada.presses(question, label)
        await telegram.until(lambda shown=label: not question.has_button(shown))  # type: ignore[misc]
    given = [one for one in await _feedback(place) if Path(one["photo"] or "/").is_file()]
    (record,) = [one for one in given if Path(one["photo"]).read_bytes() == asked.data]
    assert record["truth"] == "fake" and str(ada.user.id) not in json.dumps(record)
    await ada.says("/delete")
    await ada.presses(await ada.answer(), "Everything")
    await telegram.settled()
    assert not Path(record["photo"]).exists()
    assert record["id"] not in {one["id"] for one in await _feedback(place)}


async def _feedback(place: Place) -> list[Json]:
    """What ``unmask bot --feedback`` prints."""
    command = [*COMMAND, "--feedback"]
    run = await asyncio.to_thread(
        subprocess.run, command, env=place.environment(), capture_output=True, check=True
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


async def test_a_photo_is_kept_with_its_owners_consent_alone(
    ada: Person, someone: Callable[..., Person], telegram: Telegram, place: Place, portrait: Pixels
) -> None:
    """Who was shown the result of another's picture, being like theirs, may speak of the verdict;
    the photo is not theirs to give, whatever they make a button say."""
    bob, group = someone("Bob"), Group(telegram, "Desk", ada)
    hers = tampered(portrait)
    await ada.sends_file(as_file(hers), caption="/check", to=group)
    await group.answer()
    await bob.sends_file(as_file(hers, quality=60), caption="/check", to=group)
    answer = await group.answer()
    assert "looks like one that was examined here" in answer.text
    before = _files(place)
    await bob.presses(answer, "Wrong verdict?")
    question = await group.answer()
    await bob.presses(question, "It is genuine")
    await telegram.until(lambda: not question.buttons)
    assert "without the photo" in question.text
    token = str(answer.button("Mask")["callback_data"]).partition(":")[2]
    telegram.foreseen.append("not modified")  # the thanks stand there already
    forged = bob.touches(question, f"c:{token}:fake-yes")
    await telegram.until(lambda: forged.answered)
    await telegram.settled()
    new = _files(place) - before
    assert len([path for path in new if path.endswith(".json") and "/feedback/" in path]) == 2
    assert not [path for path in new if path.endswith(".photo")]
    assert as_file(hers) not in _read(new)


async def test_feedback_can_be_called_off(ada: Person, portrait: Pixels) -> None:
    asked = await ask(ada, portrait)
    await ada.presses(asked.answer, "Wrong verdict?")
    question = await ada.answer()
    await ada.presses(question, "Cancel")
    await ada.telegram.until(lambda: question.deleted or not question.buttons)
    ada.chat.taken = len(ada.written)


async def test_deleting_one_result(
    ada: Person, work: Work, place: Place, judge: Judge, portrait: Pixels
) -> None:
    kept = await ask(ada, portrait)
    asked = await ask(ada, portrait)
    await ada.presses(asked.answer, "Wrong verdict?")
    given = await ada.answer()
    for label in ("It is genuine", "Keep the photo too"):
        await ada.presses(given, label)
        await ada.telegram.until(lambda shown=label: not given.has_button(shown))  # type: ignore[misc]
    assert [path for path in _files(place) if path.endswith(".photo")]
    check = asked.answer.button("Full report")["url"].rpartition("/")[2]
    files = work.keys(f"unmask:bot:{ada.telegram.bot.id}:file:*")
    await ada.presses(asked.answer, "Delete my data")
    question = await ada.answer()
    await ada.presses(question, "This photo and its result")
    await ada.telegram.until(lambda: not work.keys(f"unmask:check:{check}"))
    await ada.telegram.settled()
    assert len(set(files) - set(work.keys(f"unmask:bot:{ada.telegram.bot.id}:file:*"))) == 1
    stored = _read(_files(place))
    assert asked.data not in stored and kept.data in stored
    press = await ada.presses(asked.answer, "Mask") if asked.answer.buttons else None
    assert press is None or "no longer kept" in press.text
    await ada.presses(kept.answer, "Mask")
    judge.check_mask((await ada.answer()).data, kept.data)
    await ada.telegram.settled()
    ada.chat.taken = len(ada.written)


async def test_in_a_group_the_buttons_are_for_who_asked(
    ada: Person, someone: Callable[..., Person], telegram: Telegram, judge: Judge, portrait: Pixels
) -> None:
    bob, group = someone("Bob"), Group(telegram, "Desk", ada)
    asked = await ask(ada, portrait, to=group)
    for label in ("Mask", "Heatmap", "Original size", "Delete my data", "Wrong verdict?"):
        press = await bob.presses(asked.answer, label)
        assert press.alert and "for the one who asked" in press.text
    await telegram.settled()
    assert not group.untaken
    await ada.presses(asked.answer, "Mask")
    judge.check_mask((await group.answer()).data, asked.data)
    await ada.presses(asked.answer, "Delete my data")
    question = await group.answer()
    for label in ("This photo", "Everything", "Cancel"):
        press = await bob.presses(question, label)
        assert press.alert and press.text
    assert question.buttons
    await ada.presses(question, "This photo")
    await telegram.until(lambda: not question.buttons)


async def test_an_administrator_of_a_group_may_delete(
    ada: Person, someone: Callable[..., Person], telegram: Telegram, work: Work, portrait: Pixels
) -> None:
    root, group = someone("Root"), Group(telegram, "Desk", ada)
    group.chat.status[root.user.id] = "creator"
    asked = await ask(ada, portrait, to=group)
    check = asked.answer.button("Full report")["url"].rpartition("/")[2]
    await root.presses(asked.answer, "Delete my data")
    question = await group.answer()
    await root.presses(question, "Cancel")
    await telegram.until(lambda: not question.buttons)
    assert "Nothing was changed" in question.text and work.keys(f"unmask:check:{check}")
    await root.presses(asked.answer, "Delete my data")
    await root.presses(await group.answer(), "This photo")
    await telegram.until(lambda: not work.keys(f"unmask:check:{check}"))


async def test_a_group_that_keeps_its_members_to_itself(
    ada: Person, someone: Callable[..., Person], telegram: Telegram, portrait: Pixels
) -> None:
    """Nobody can be known for an administrator there."""
    bob, group = someone("Bob"), Group(telegram, "Desk", ada)
    asked = await ask(ada, portrait, to=group)
    telegram.faults.add("getChatMember", "status", 400)
    press = await bob.presses(asked.answer, "Delete my data")
    assert press.alert and "for the one who asked" in press.text


async def test_a_button_of_another_chat_opens_nothing(
    ada: Person, someone: Callable[..., Person], telegram: Telegram, portrait: Pixels
) -> None:
    """Its data, learnt somehow, sent from one's own chat."""
    eve = someone("Eve")
    hers = await ask(ada, portrait)
    own = await ask(eve, portrait)
    for label in ("Mask", "Heatmap", "Original size", "Delete my data", "Wrong verdict?"):
        press = eve.touches(own.answer, hers.token(label))
        await telegram.until(lambda p=press: p.answered)  # type: ignore[misc]
        assert press.text
    await telegram.settled()
    assert not eve.untaken and not ada.untaken


@pytest.mark.parametrize(
    "data", ["", "m", "m:", "m:AAAAAAAAAAAA", "?:x", "l:xx", "p:AAAAAAAAAAAA:99", "y:1", "é" * 32]
)
async def test_data_that_no_button_has(
    ada: Person, telegram: Telegram, portrait: Pixels, data: str
) -> None:
    await ada.says("/help")
    message = await ada.answer()
    press = ada.touches(message, data)
    await telegram.until(lambda: press.answered)
    await telegram.settled()


async def test_pressing_too_late_still_works(
    ada: Person, telegram: Telegram, judge: Judge, portrait: Pixels
) -> None:
    """The bot was down while it was pressed: Telegram takes no answer to the press any more."""
    telegram.foreseen.append("query is too old")
    asked = await ask(ada, portrait)
    ada.touches(asked.answer, asked.token("Mask"), expired=True)
    judge.check_mask((await ada.answer()).data, asked.data)


async def test_pressing_when_the_result_has_expired(
    place: Place, work: Work, portrait: Pixels
) -> None:
    async with telegram_of(work, 2) as telegram:
        ada = Person(telegram, "Ada")
        async with bot_within(place, telegram, retention=3):
            asked = await ask(ada, portrait)
            assert not asked.answer.has_button("Full report"), "there is no public address"
            tickets = f"unmask:bot:{telegram.bot.id}:ticket:*"
            await telegram.until(lambda: not work.keys(tickets), what="the end of tickets")
            for label in ("Mask", "Original size", "Wrong verdict?"):
                press = await ada.presses(asked.answer, label)
                assert "no longer kept" in press.text
            await telegram.settled()
        check_manners(telegram)


async def test_buttons_do_not_flood(ada: Person, telegram: Telegram, portrait: Pixels) -> None:
    """Two hundred presses in a row: each gets an answer, few a picture."""
    asked = await ask(ada, portrait)
    presses = [ada.touches(asked.answer, asked.token("Mask")) for _ in range(200)]
    await telegram.until(lambda: all(press.answered for press in presses), 120)
    await telegram.settled()
    assert len(ada.untaken) <= 60
    assert any("wait" in press.text for press in presses)
    ada.chat.taken = len(ada.written)
