"""The buttons below a reply: each does its work, for the right users, and after a restart."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bot.bot_process import COMMAND, BotProcess, QueueProbe, bot_within
from tests.bot.conftest import Site, check_manners, launch_command, telegram_of
from tests.bot.image_asserts import Pixels, ReferenceDetector, as_file, decoded, genuine, tampered
from tests.bot.telegram import Group, Json, Message, Person, Telegram
from tests.server.server_process import Service

pytestmark = pytest.mark.anyio


class CheckedPicture:
    """A file that was sent, and the bot's reply."""

    def __init__(self, data: bytes, sent: Message, answer: Message) -> None:
        self.data = data
        self.sent = sent
        self.answer = answer

    def token(self, label: str) -> str:
        return str(self.answer.button(label)["callback_data"])


async def ask(person: Person, portrait: Pixels, to: Group | None = None) -> CheckedPicture:
    data = as_file(tampered(portrait))
    sent = await person.sends_file(data, caption="/check" if to else "", to=to)
    answer = await (to or person).answer()
    assert answer.kind == "photo"
    return CheckedPicture(data, sent, answer)


async def test_the_mask(ada: Person, detector: ReferenceDetector, portrait: Pixels) -> None:
    checked = await ask(ada, portrait)
    await ada.presses(checked.answer, "Mask")
    mask = await ada.answer()
    assert detector.check_mask(mask.data, checked.data).mask().any()


async def test_the_heatmap(ada: Person, detector: ReferenceDetector, portrait: Pixels) -> None:
    checked = await ask(ada, portrait)
    await ada.presses(checked.answer, "Heatmap")
    assert detector.check_heatmap((await ada.answer()).data, checked.data).heatmap().any()


async def test_the_original_size(
    ada: Person, detector: ReferenceDetector, portrait: Pixels
) -> None:
    checked = await ask(ada, portrait)
    await ada.presses(checked.answer, "Original size")
    original = await ada.answer()
    assert original.kind == "document"
    detector.check_annotated(original.data, checked.data)
    assert decoded(original.data).shape == decoded(checked.data).shape


async def test_the_full_report(ada: Person, queue: QueueProbe, portrait: Pixels) -> None:
    checked = await ask(ada, portrait)
    url = checked.answer.button("Full report")["url"]
    assert url.startswith("https://unmask.example.org/c/")
    assert queue.keys(f"unmask:check:{url.rpartition('/')[2]}")


async def test_each_picture_of_an_album_has_its_buttons(
    ada: Person, detector: ReferenceDetector, portrait: Pixels
) -> None:
    made = [as_file(tampered(portrait)), as_file(genuine(portrait))]
    await ada.sends_album(made, files=True)
    *_, below = await ada.answers(3)
    for label, data in (("1", made[0]), ("2", made[1]), ("1", made[0])):
        if not below.has_button("Mask"):
            await ada.presses(below, label)
        await ada.telegram.until(lambda: below.has_button("Mask"))
        await ada.presses(below, "Mask")
        detector.check_mask((await ada.answer()).data, data)
        await ada.presses(below, "All pictures")
        await ada.telegram.until(lambda: not below.has_button("Mask"))


async def test_all_buttons_work_after_a_restart(
    ada: Person, shared_bot: BotProcess, site: Site, detector: ReferenceDetector, portrait: Pixels
) -> None:
    checked = await ask(ada, portrait)
    await shared_bot.stop()
    await shared_bot.start(*launch_command(site))
    await ada.presses(checked.answer, "Mask")
    detector.check_mask((await ada.answer()).data, checked.data)
    await ada.presses(checked.answer, "Heatmap")
    detector.check_heatmap((await ada.answer()).data, checked.data)
    await ada.presses(checked.answer, "Original size")
    detector.check_annotated((await ada.answer()).data, checked.data)
    await ada.presses(checked.answer, "Wrong verdict?")
    question = await ada.answer()
    await shared_bot.stop()
    await shared_bot.start(*launch_command(site))
    await ada.presses(question, "It is genuine")


async def test_feedback_stores_the_photo_only_with_consent(
    ada: Person, new_person: Callable[..., Person], service: Service, portrait: Pixels
) -> None:
    for person, consent, keeps_photo in (
        (ada, "Only the verdict", False),
        (new_person("Bob"), "Keep the photo too", True),
    ):
        checked = await ask(person, portrait)
        before = _files(service)
        await person.presses(checked.answer, "Wrong verdict?")
        question = await person.answer()
        await person.presses(question, "It is genuine")
        await person.telegram.until(lambda q=question: q.has_button("Keep the photo"))  # type: ignore[misc]
        assert _files(service) == before, "nothing is stored before the user has answered"
        await person.presses(question, consent)
        await person.telegram.until(lambda q=question: not q.buttons)  # type: ignore[misc]
        new = _files(service) - before
        assert (checked.data in _read(new)) is keeps_photo, sorted(new)


def _files(service: Service) -> set[str]:
    return {str(path) for path in service.data.rglob("*") if path.is_file()}


def _read(paths: set[str]) -> list[bytes]:
    return [Path(path).read_bytes() for path in paths]


async def test_feedback_can_be_read_and_deleted(
    ada: Person, telegram: Telegram, service: Service, portrait: Pixels
) -> None:
    checked = await ask(ada, portrait)
    await ada.presses(checked.answer, "Wrong verdict?")
    question = await ada.answer()
    for label in ("It is manipulated", "Keep the photo too"):
        await ada.presses(question, label)
        await telegram.until(lambda pressed=label: not question.has_button(pressed))  # type: ignore[misc]
    with_photo = [one for one in await _feedback(service) if Path(one["photo"] or "/").is_file()]
    (record,) = [one for one in with_photo if Path(one["photo"]).read_bytes() == checked.data]
    assert record["truth"] == "fake" and str(ada.user.id) not in json.dumps(record)
    await ada.says("/delete")
    await ada.presses(await ada.answer(), "Everything")
    await telegram.settled()
    assert not Path(record["photo"]).exists()
    assert record["id"] not in {one["id"] for one in await _feedback(service)}


async def _feedback(service: Service) -> list[Json]:
    """What ``unmask bot --feedback`` prints."""
    command = [*COMMAND, "--feedback"]
    run = await asyncio.to_thread(
        subprocess.run, command, env=service.environment(), capture_output=True, check=True
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


async def test_only_the_owner_of_a_photo_can_consent(
    ada: Person,
    new_person: Callable[..., Person],
    telegram: Telegram,
    service: Service,
    portrait: Pixels,
) -> None:
    """A user who sees the result of another user's similar picture may comment on the verdict, but
    cannot consent for that photo, not even with forged callback data."""
    bob, group = new_person("Bob"), Group(telegram, "Desk", ada)
    hers = tampered(portrait)
    await ada.sends_file(as_file(hers), caption="/check", to=group)
    await group.answer()
    await bob.sends_file(as_file(hers, quality=60), caption="/check", to=group)
    answer = await group.answer()
    assert "looks like one that was examined here" in answer.text
    before = _files(service)
    await bob.presses(answer, "Wrong verdict?")
    question = await group.answer()
    await bob.presses(question, "It is genuine")
    await telegram.until(lambda: not question.buttons)
    assert "without the photo" in question.text
    token = str(answer.button("Mask")["callback_data"]).partition(":")[2]
    telegram.expected_refusals.append("not modified")  # it shows the thanks already
    forged = bob.touches(question, f"c:{token}:fake-yes")
    await telegram.until(lambda: forged.answered)
    await telegram.settled()
    new = _files(service) - before
    assert len([path for path in new if path.endswith(".json") and "/feedback/" in path]) == 2
    assert not [path for path in new if path.endswith(".photo")]
    assert as_file(hers) not in _read(new)


async def test_feedback_can_be_cancelled(ada: Person, portrait: Pixels) -> None:
    checked = await ask(ada, portrait)
    await ada.presses(checked.answer, "Wrong verdict?")
    question = await ada.answer()
    await ada.presses(question, "Cancel")
    await ada.telegram.until(lambda: question.deleted or not question.buttons)
    ada.chat.read_count = len(ada.written)


async def test_deleting_one_result(
    ada: Person, queue: QueueProbe, service: Service, detector: ReferenceDetector, portrait: Pixels
) -> None:
    kept = await ask(ada, portrait)
    checked = await ask(ada, portrait)
    await ada.presses(checked.answer, "Wrong verdict?")
    feedback = await ada.answer()
    for label in ("It is genuine", "Keep the photo too"):
        await ada.presses(feedback, label)
        await ada.telegram.until(lambda pressed=label: not feedback.has_button(pressed))  # type: ignore[misc]
    assert [path for path in _files(service) if path.endswith(".photo")]
    check = checked.answer.button("Full report")["url"].rpartition("/")[2]
    files = queue.keys(f"unmask:bot:{ada.telegram.bot.id}:file:*")
    await ada.presses(checked.answer, "Delete my data")
    question = await ada.answer()
    await ada.presses(question, "This photo and its result")
    await ada.telegram.until(lambda: not queue.keys(f"unmask:check:{check}"))
    await ada.telegram.settled()
    assert len(set(files) - set(queue.keys(f"unmask:bot:{ada.telegram.bot.id}:file:*"))) == 1
    stored = _read(_files(service))
    assert checked.data not in stored and kept.data in stored
    press = await ada.presses(checked.answer, "Mask") if checked.answer.buttons else None
    assert press is None or "no longer kept" in press.text
    await ada.presses(kept.answer, "Mask")
    detector.check_mask((await ada.answer()).data, kept.data)
    await ada.telegram.settled()
    ada.chat.read_count = len(ada.written)


async def test_in_a_group_the_buttons_are_for_the_user_who_called_the_bot(
    ada: Person,
    new_person: Callable[..., Person],
    telegram: Telegram,
    detector: ReferenceDetector,
    portrait: Pixels,
) -> None:
    bob, group = new_person("Bob"), Group(telegram, "Desk", ada)
    checked = await ask(ada, portrait, to=group)
    for label in ("Mask", "Heatmap", "Original size", "Delete my data", "Wrong verdict?"):
        press = await bob.presses(checked.answer, label)
        assert press.alert and "for the one who asked" in press.text
    await telegram.settled()
    assert not group.unread
    await ada.presses(checked.answer, "Mask")
    detector.check_mask((await group.answer()).data, checked.data)
    await ada.presses(checked.answer, "Delete my data")
    question = await group.answer()
    for label in ("This photo", "Everything", "Cancel"):
        press = await bob.presses(question, label)
        assert press.alert and press.text
    assert question.buttons
    await ada.presses(question, "This photo")
    await telegram.until(lambda: not question.buttons)


async def test_an_administrator_of_a_group_may_delete(
    ada: Person,
    new_person: Callable[..., Person],
    telegram: Telegram,
    queue: QueueProbe,
    portrait: Pixels,
) -> None:
    root, group = new_person("Root"), Group(telegram, "Desk", ada)
    group.chat.status[root.user.id] = "creator"
    checked = await ask(ada, portrait, to=group)
    check = checked.answer.button("Full report")["url"].rpartition("/")[2]
    await root.presses(checked.answer, "Delete my data")
    question = await group.answer()
    await root.presses(question, "Cancel")
    await telegram.until(lambda: not question.buttons)
    assert "Nothing was changed" in question.text and queue.keys(f"unmask:check:{check}")
    await root.presses(checked.answer, "Delete my data")
    await root.presses(await group.answer(), "This photo")
    await telegram.until(lambda: not queue.keys(f"unmask:check:{check}"))


async def test_a_group_that_hides_its_members(
    ada: Person, new_person: Callable[..., Person], telegram: Telegram, portrait: Pixels
) -> None:
    """The bot cannot tell there whether a user is an administrator."""
    bob, group = new_person("Bob"), Group(telegram, "Desk", ada)
    checked = await ask(ada, portrait, to=group)
    telegram.faults.add("getChatMember", "status", 400)
    press = await bob.presses(checked.answer, "Delete my data")
    assert press.alert and "for the one who asked" in press.text


async def test_a_button_of_another_chat_opens_nothing(
    ada: Person, new_person: Callable[..., Person], telegram: Telegram, portrait: Pixels
) -> None:
    """Eve sends the callback data of Ada's buttons from her own chat."""
    eve = new_person("Eve")
    hers = await ask(ada, portrait)
    own = await ask(eve, portrait)
    for label in ("Mask", "Heatmap", "Original size", "Delete my data", "Wrong verdict?"):
        press = eve.touches(own.answer, hers.token(label))
        await telegram.until(lambda p=press: p.answered)  # type: ignore[misc]
        assert press.text
    await telegram.settled()
    assert not eve.unread and not ada.unread


@pytest.mark.parametrize(
    "data", ["", "m", "m:", "m:AAAAAAAAAAAA", "?:x", "l:xx", "p:AAAAAAAAAAAA:99", "y:1", "é" * 32]
)
async def test_callback_data_that_no_button_has(
    ada: Person, telegram: Telegram, portrait: Pixels, data: str
) -> None:
    await ada.says("/help")
    message = await ada.answer()
    press = ada.touches(message, data)
    await telegram.until(lambda: press.answered)
    await telegram.settled()


async def test_pressing_too_late_still_works(
    ada: Person, telegram: Telegram, detector: ReferenceDetector, portrait: Pixels
) -> None:
    """The bot was down when the button was pressed, so Telegram refuses the answer to it."""
    telegram.expected_refusals.append("query is too old")
    checked = await ask(ada, portrait)
    ada.touches(checked.answer, checked.token("Mask"), expired=True)
    detector.check_mask((await ada.answer()).data, checked.data)


async def test_pressing_when_the_result_has_expired(
    service: Service, queue: QueueProbe, portrait: Pixels
) -> None:
    async with telegram_of(queue, 2) as telegram:
        ada = Person(telegram, "Ada")
        async with bot_within(service, telegram, retention=3):
            checked = await ask(ada, portrait)
            assert not checked.answer.has_button("Full report"), "there is no public address"
            callbacks = f"unmask:bot:{telegram.bot.id}:ticket:*"
            await telegram.until(lambda: not queue.keys(callbacks), what="the end of tickets")
            for label in ("Mask", "Original size", "Wrong verdict?"):
                press = await ada.presses(checked.answer, label)
                assert "no longer kept" in press.text
            await telegram.settled()
        check_manners(telegram)


async def test_buttons_do_not_flood(ada: Person, telegram: Telegram, portrait: Pixels) -> None:
    """Two hundred presses in a row: each is answered, few with a picture."""
    checked = await ask(ada, portrait)
    presses = [ada.touches(checked.answer, checked.token("Mask")) for _ in range(200)]
    await telegram.until(lambda: all(press.answered for press in presses), 120)
    await telegram.settled()
    assert len(ada.unread) <= 60
    assert any("wait" in press.text for press in presses)
    ada.chat.read_count = len(ada.written)
