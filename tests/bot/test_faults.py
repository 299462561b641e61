"""Failures between the bot and Telegram: every photo still gets its reply."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest
from telegram.request import HTTPXRequest

from tests.bot.bot_process import BotProcess
from tests.bot.image_asserts import Pixels, ReferenceDetector, as_file, faceless, genuine, tampered
from tests.bot.telegram import Call, Group, Person, Telegram

pytestmark = pytest.mark.anyio


def of(person: Person) -> Callable[[Call], bool]:
    """Whether a call is about a person's private chat."""
    return lambda call: call.text("chat_id") == str(person.chat.id)


async def test_retry_after_is_honoured(
    ada: Person,
    new_person: Callable[..., Person],
    telegram: Telegram,
    detector: ReferenceDetector,
    portrait: Pixels,
) -> None:
    """No call for that chat until then; other chats are served."""
    fault = telegram.faults.add("sendPhoto", "retry_after", 2, times=2, when=of(ada))
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    await telegram.until(lambda: fault.met)
    bob = new_person("Bob")
    await bob.sends_photo(as_file(genuine(portrait)))
    await bob.answer()
    detector.check_annotated((await ada.answer()).data, sent.data)
    tries = [call for call in telegram.called("sendPhoto") if of(ada)(call)]
    assert [bool(call.error) for call in tries] == [True, True, False]
    assert all(second.at - first.at >= 2 for first, second in pairwise(tries))


async def test_a_sign_of_activity_that_is_refused_delays_nothing(
    ada: Person, telegram: Telegram, portrait: Pixels
) -> None:
    telegram.faults.add("setMessageReaction", "retry_after", 3600)
    telegram.faults.add("sendChatAction", "retry_after", 3600)
    await ada.sends_photo(as_file(genuine(portrait)))
    await ada.answer()


@pytest.mark.parametrize("method", ["sendPhoto", "getFile", "file", "sendMessage"])
@pytest.mark.parametrize(("kind", "value"), [("status", 502), ("drop_before", 0)])
async def test_a_call_without_effect_is_retried(
    ada: Person, telegram: Telegram, detector: ReferenceDetector, portrait: Pixels,
    method: str, kind: str, value: int
) -> None:  # fmt: skip
    fault = telegram.faults.add(method, kind, value, times=2)
    if method == "sendMessage":
        await ada.sends_file(b"no picture", "a.jpg")
        assert "not a picture" in (await ada.answer()).text
    else:
        sent = await ada.sends_photo(as_file(tampered(portrait)))
        detector.check_annotated((await ada.answer()).data, sent.data)
    assert fault.met == 2


async def test_a_download_that_breaks_off(
    ada: Person, telegram: Telegram, detector: ReferenceDetector, portrait: Pixels
) -> None:
    telegram.faults.add("file", "drop_after", times=2)
    telegram.faults.add("file", "slow", 0.5)
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    detector.check_annotated((await ada.answer()).data, sent.data)


async def test_a_reply_that_may_have_arrived(
    ada: Person, telegram: Telegram, detector: ReferenceDetector, portrait: Pixels
) -> None:
    """It arrived, which the bot cannot know, so it is sent again."""
    telegram.faults.add("sendPhoto", "drop_after")
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    detector.check_annotated((await ada.answer()).data, sent.data)
    await telegram.settled(1.0)
    assert len(ada.unread) <= 1
    for again in ada.unread:
        detector.check_annotated(again.data, sent.data)
    ada.chat.read_count = len(ada.written)


async def test_a_slow_telegram(
    ada: Person, telegram: Telegram, detector: ReferenceDetector, portrait: Pixels
) -> None:
    """It takes longer than the default timeout, after which the reply would be sent twice."""
    hold = telegram.faults.add("sendPhoto", "hold_answer")
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    detector.check_annotated((await ada.answer()).data, sent.data)
    await asyncio.sleep((HTTPXRequest().read_timeout or 0) + 1)
    hold.released.set()
    await telegram.settled()
    assert len([call for call in telegram.called("sendPhoto") if of(ada)(call)]) == 1


async def test_failures_of_all_methods_at_once(
    new_person: Callable[..., Person],
    telegram: Telegram,
    detector: ReferenceDetector,
    portrait: Pixels,
) -> None:
    """Every second call fails in one way or another, for a while."""
    people = [new_person(f"Person {number}") for number in range(6)]
    for kind, value in [("status", 500), ("drop_before", 0), ("retry_after", 1)] * 4:
        telegram.faults.add("*", "slow", 0.01)
        telegram.faults.add("*", kind, value)
    sent = [await person.sends_photo(as_file(tampered(portrait))) for person in people]
    for person, one in zip(people, sent, strict=True):
        detector.check_annotated((await person.answer()).data, one.data)


async def test_polling_goes_on_after_failures(
    ada: Person, telegram: Telegram, shared_bot: BotProcess, portrait: Pixels
) -> None:
    for kind, value in (("status", 502), ("drop_before", 0), ("retry_after", 1)):
        telegram.faults.add("getUpdates", kind, value)
    lost = telegram.faults.add("getUpdates", "drop_after")
    await ada.sends_photo(as_file(genuine(portrait)))
    await ada.answer()
    await telegram.until(lambda: lost.met)
    await ada.sends_photo(as_file(genuine(portrait)))
    await ada.answer()
    assert shared_bot.is_running


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
    assert not ada.unread


async def test_a_message_that_is_deleted_before_the_reply(
    ada: Person, telegram: Telegram, detector: ReferenceDetector, portrait: Pixels
) -> None:
    hold = telegram.faults.add("getFile", "hold")
    telegram.expected_refusals.append("message to react not found")
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    await telegram.until(lambda: hold.met)
    sent.deleted = True
    hold.released.set()
    answer = await ada.answer()
    assert answer.reply_to is None
    detector.check_annotated(answer.data, sent.data)


async def test_a_user_who_blocks_the_bot_in_between(
    ada: Person, telegram: Telegram, shared_bot: BotProcess, portrait: Pixels
) -> None:
    hold = telegram.faults.add("getFile", "hold")
    telegram.expected_refusals.append("bot was blocked by the user")
    await ada.sends_photo(as_file(genuine(portrait)))
    await telegram.until(lambda: hold.met)
    ada.blocks()
    hold.released.set()
    await telegram.settled(1.0)
    refused = [call for call in telegram.called("sendPhoto") if of(ada)(call)]
    assert len(refused) == 1, "a final refusal is not retried"
    assert shared_bot.is_running


async def test_a_group_that_allows_no_photos(
    ada: Person, telegram: Telegram, portrait: Pixels
) -> None:
    group = Group(telegram, "Desk", ada)
    telegram.faults.add("sendPhoto", "status", 400, times=5)
    await ada.sends_file(as_file(genuine(portrait)), caption="/check", to=group)
    answer = await group.answer()
    assert answer.kind == "text" and "Face 1: " in answer.text


async def test_a_slow_download_delays_no_other_user(
    ada: Person, new_person: Callable[..., Person], telegram: Telegram, portrait: Pixels
) -> None:
    hold = telegram.faults.add("getFile", "hold")
    await ada.sends_photo(as_file(genuine(portrait)))
    await telegram.until(lambda: hold.met)
    bob = new_person("Bob")
    for _ in range(5):
        await bob.sends_photo(as_file(faceless()))
    await bob.says("/help")
    await bob.answers(6)
    assert not ada.unread
    hold.released.set()
    await ada.answer()


async def test_many_updates_in_one_delivery(
    new_person: Callable[..., Person], telegram: Telegram, portrait: Pixels
) -> None:
    people = [new_person(f"Person {number}") for number in range(25)]
    data = [as_file(faceless()) for _ in people]
    await asyncio.gather(*(p.sends_file(d) for p, d in zip(people, data, strict=True)))
    for person in people:
        assert (await person.answer()).kind == "photo"
