"""What goes wrong between the bot and Telegram: every photo still gets its one answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest
from telegram.request import HTTPXRequest

from tests.bot.bot_process import Runner
from tests.bot.image_asserts import Judge, Pixels, as_file, faceless, genuine, tampered
from tests.bot.telegram import Call, Group, Person, Telegram

pytestmark = pytest.mark.anyio


def of(person: Person) -> Callable[[Call], bool]:
    """Calls that concern a person's private chat."""
    return lambda call: call.text("chat_id") == str(person.chat.id)


async def test_retry_after_is_honoured(
    ada: Person, someone: Callable[..., Person], telegram: Telegram, judge: Judge, portrait: Pixels
) -> None:
    """No call for that chat in the meantime; others are served."""
    fault = telegram.faults.add("sendPhoto", "retry_after", 2, times=2, when=of(ada))
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    await telegram.until(lambda: fault.met)
    bob = someone("Bob")
    await bob.sends_photo(as_file(genuine(portrait)))
    await bob.answer()
    judge.check_annotated((await ada.answer()).data, sent.data)
    tries = [call for call in telegram.called("sendPhoto") if of(ada)(call)]
    assert [bool(call.error) for call in tries] == [True, True, False]
    assert all(later.at - call.at >= 2 for call, later in pairwise(tries))


async def test_a_sign_that_is_refused_holds_nothing_up(
    ada: Person, telegram: Telegram, portrait: Pixels
) -> None:
    telegram.faults.add("setMessageReaction", "retry_after", 3600)
    telegram.faults.add("sendChatAction", "retry_after", 3600)
    await ada.sends_photo(as_file(genuine(portrait)))
    await ada.answer()


@pytest.mark.parametrize("method", ["sendPhoto", "getFile", "file", "sendMessage"])
@pytest.mark.parametrize(("kind", "value"), [("status", 502), ("drop_before", 0)])
async def test_what_had_no_effect_is_tried_again(
    ada: Person, telegram: Telegram, judge: Judge, portrait: Pixels,
    method: str, kind: str, value: int
) -> None:  # fmt: skip
    fault = telegram.faults.add(method, kind, value, times=2)
    if method == "sendMessage":
        await ada.sends_file(b"no picture", "a.jpg")
        assert "not a picture" in (await ada.answer()).text
    else:
        sent = await ada.sends_photo(as_file(tampered(portrait)))
        judge.check_annotated((await ada.answer()).data, sent.data)
    assert fault.met == 2


async def test_a_download_that_breaks_off(
    ada: Person, telegram: Telegram, judge: Judge, portrait: Pixels
) -> None:
    telegram.faults.add("file", "drop_after", times=2)
    telegram.faults.add("file", "slow", 0.5)
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    judge.check_annotated((await ada.answer()).data, sent.data)


async def test_an_answer_whose_fate_is_unknown(
    ada: Person, telegram: Telegram, judge: Judge, portrait: Pixels
) -> None:
    """It arrived, and the bot cannot know: better twice than never."""
    telegram.faults.add("sendPhoto", "drop_after")
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    judge.check_annotated((await ada.answer()).data, sent.data)
    await telegram.settled(1.0)
    assert len(ada.untaken) <= 1
    for again in ada.untaken:
        judge.check_annotated(again.data, sent.data)
    ada.chat.taken = len(ada.written)


async def test_a_telegram_that_takes_its_time(
    ada: Person, telegram: Telegram, judge: Judge, portrait: Pixels
) -> None:
    """Longer than python-telegram-bot waits by itself; what is given up would be sent again."""
    hold = telegram.faults.add("sendPhoto", "hold_answer")
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    judge.check_annotated((await ada.answer()).data, sent.data)
    await asyncio.sleep((HTTPXRequest().read_timeout or 0) + 1)
    hold.released.set()
    await telegram.settled()
    assert len([call for call in telegram.called("sendPhoto") if of(ada)(call)]) == 1


async def test_a_bad_moment_of_everything(
    someone: Callable[..., Person], telegram: Telegram, judge: Judge, portrait: Pixels
) -> None:
    """Every second call fails in one way or another, for a while."""
    people = [someone(f"Person {number}") for number in range(6)]
    for kind, value in [("status", 500), ("drop_before", 0), ("retry_after", 1)] * 4:
        telegram.faults.add("*", "slow", 0.01)
        telegram.faults.add("*", kind, value)
    sent = [await person.sends_photo(as_file(tampered(portrait))) for person in people]
    for person, one in zip(people, sent, strict=True):
        judge.check_annotated((await person.answer()).data, one.data)


async def test_polling_goes_on_after_failures(
    ada: Person, telegram: Telegram, shared_bot: Runner, portrait: Pixels
) -> None:
    for kind, value in (("status", 502), ("drop_before", 0), ("retry_after", 1)):
        telegram.faults.add("getUpdates", kind, value)
    lost = telegram.faults.add("getUpdates", "drop_after")
    await ada.sends_photo(as_file(genuine(portrait)))
    await ada.answer()
    await telegram.until(lambda: lost.met)
    await ada.sends_photo(as_file(genuine(portrait)))
    await ada.answer()
    assert shared_bot.runs


async def test_the_same_update_twice(ada: Person, telegram: Telegram, portrait: Pixels) -> None:
    updates = telegram.updates
    await ada.sends_photo(as_file(genuine(portrait)))
    update = dict(next(iter(updates.pending.values()), {}))
    if not update:  # the bot was quick
        (first,) = [m.json for m in ada.chat.messages.values() if m.sender is ada.user]
        update = {"update_id": updates.confirmed[-1], "message": first}
    await ada.answer()
    for _ in range(3):
        updates.repeat(update)
        await telegram.settled()
    assert not ada.untaken


async def test_a_message_that_is_gone_when_the_answer_comes(
    ada: Person, telegram: Telegram, judge: Judge, portrait: Pixels
) -> None:
    hold = telegram.faults.add("getFile", "hold")
    telegram.foreseen.append("message to react not found")
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    await telegram.until(lambda: hold.met)
    sent.deleted = True
    hold.released.set()
    answer = await ada.answer()
    assert answer.reply_to is None
    judge.check_annotated(answer.data, sent.data)


async def test_somebody_who_blocks_the_bot_meanwhile(
    ada: Person, telegram: Telegram, shared_bot: Runner, portrait: Pixels
) -> None:
    hold = telegram.faults.add("getFile", "hold")
    telegram.foreseen.append("bot was blocked by the user")
    await ada.sends_photo(as_file(genuine(portrait)))
    await telegram.until(lambda: hold.met)
    ada.blocks()
    hold.released.set()
    await telegram.settled(1.0)
    refused = [call for call in telegram.called("sendPhoto") if of(ada)(call)]
    assert len(refused) == 1, "a no for good is not asked again"
    assert shared_bot.runs


async def test_a_group_that_allows_no_photos(
    ada: Person, telegram: Telegram, portrait: Pixels
) -> None:
    group = Group(telegram, "Desk", ada)
    telegram.faults.add("sendPhoto", "status", 400, times=5)
    await ada.sends_file(as_file(genuine(portrait)), caption="/check", to=group)
    answer = await group.answer()
    assert answer.kind == "text" and "Face 1: " in answer.text


async def test_one_slow_person_holds_up_nobody(
    ada: Person, someone: Callable[..., Person], telegram: Telegram, portrait: Pixels
) -> None:
    hold = telegram.faults.add("getFile", "hold")
    await ada.sends_photo(as_file(genuine(portrait)))
    await telegram.until(lambda: hold.met)
    bob = someone("Bob")
    for _ in range(5):
        await bob.sends_photo(as_file(faceless()))
    await bob.says("/help")
    await bob.answers(6)
    assert not ada.untaken
    hold.released.set()
    await ada.answer()


async def test_many_updates_in_one_delivery(
    someone: Callable[..., Person], telegram: Telegram, portrait: Pixels
) -> None:
    people = [someone(f"Person {number}") for number in range(25)]
    data = [as_file(faceless()) for _ in people]
    await asyncio.gather(*(p.sends_file(d) for p, d in zip(people, data, strict=True)))
    for person in people:
        assert (await person.answer()).kind == "photo"
