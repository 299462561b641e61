"""In groups the bot answers only when a message calls it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.bot.conftest import Site
from tests.bot.image_asserts import Pixels, ReferenceDetector, as_file, genuine, tampered
from tests.bot.telegram import Channel, Group, Person, Telegram

pytestmark = pytest.mark.anyio


@pytest.fixture
def group(telegram: Telegram, ada: Person, new_person: Callable[..., Person]) -> Group:
    """A group in which the bot gets all messages, because it is an administrator."""
    group = Group(telegram, "Fact desk", ada, new_person("Bob"))
    group.chat.status[telegram.bot.id] = "administrator"
    return group


async def test_it_is_silent_unless_it_is_called(
    ada: Person, telegram: Telegram, group: Group, site: Site, portrait: Pixels
) -> None:
    since = len(telegram.calls)
    photo = await ada.sends_photo(as_file(genuine(portrait)), "look at this", to=group)
    await ada.sends_file(as_file(genuine(portrait)), to=group)
    await ada.sends_album([as_file(genuine(portrait))] * 2, to=group)
    await ada.says("what is this?", to=group, reply_to=photo)
    await ada.says(site.publish(as_file(genuine(portrait))), to=group)
    await ada.says("/check@other_bot", to=group, reply_to=photo)
    await ada.says("/checkers", to=group, reply_to=photo)
    await telegram.settled()
    chat = str(group.chat.id)
    calls = [call for call in telegram.calls[since:] if call.params.get("chat_id") == chat]
    assert not calls, "not even a reaction"


@pytest.mark.parametrize("question", ["/check", "/check@unmask_test_bot", "@unmask_test_bot real?"])
async def test_called_by_a_reply(
    ada: Person,
    new_person: Callable[..., Person],
    telegram: Telegram,
    detector: ReferenceDetector,
    portrait: Pixels,
    question: str,
) -> None:
    """In privacy mode too, where the bot does not get the photo itself."""
    group = Group(telegram, "Talk", ada)
    photo = await ada.sends_photo(as_file(tampered(portrait)), to=group)
    bob = new_person("Bob")
    await bob.says(question, to=group, reply_to=photo)
    answer = await group.answer()
    assert answer.reply_to is photo
    assert detector.check_annotated(answer.data, photo.data).mask().any()


@pytest.mark.parametrize("caption", ["/check", "look, @unmask_test_bot"])
async def test_called_by_a_caption(
    ada: Person, group: Group, detector: ReferenceDetector, portrait: Pixels, caption: str
) -> None:
    photo = await ada.sends_photo(as_file(tampered(portrait)), caption, to=group)
    answer = await group.answer()
    assert answer.reply_to is photo
    detector.check_annotated(answer.data, photo.data)


async def test_called_about_a_link(
    ada: Person, group: Group, detector: ReferenceDetector, site: Site, portrait: Pixels
) -> None:
    data = as_file(tampered(portrait))
    await ada.says(f"/check {site.publish(data)}", to=group)
    detector.check_annotated((await group.answer()).data, data)
    other = as_file(tampered(portrait))
    link = await ada.says(site.publish(other), to=group)
    await ada.says("/check", to=group, reply_to=link)
    detector.check_annotated((await group.answer()).data, other)


async def test_called_about_a_picture_of_another_chat(
    ada: Person, telegram: Telegram, group: Group, detector: ReferenceDetector, portrait: Pixels
) -> None:
    """Telegram describes a message of another chat, but does not send the message itself."""
    sizes = telegram.files.photo(as_file(tampered(portrait)))
    origin = {"type": "hidden_user", "sender_user_name": "Bob", "date": 1_700_000_000}
    elsewhere = {"origin": origin, "photo": [size.size_json for size in sizes]}
    question = await ada.says("/check", to=group, external_reply=elsewhere)
    answer = await group.answer()
    assert answer.reply_to is question
    detector.check_annotated(answer.data, sizes[-1].data)
    await ada.says("is this real?", to=group, external_reply=elsewhere)
    await telegram.settled()
    assert not group.unread


async def test_called_about_an_album(
    ada: Person, group: Group, detector: ReferenceDetector, portrait: Pixels
) -> None:
    sent = await ada.sends_album(
        [as_file(tampered(portrait)), as_file(genuine(portrait))], caption="/check", to=group
    )
    *photos, _ = await group.answers(3)
    for answer, one in zip(photos, sent, strict=True):
        detector.check_annotated(answer.data, one.data)


async def test_called_about_nothing(ada: Person, group: Group) -> None:
    words = await ada.says("hello", to=group)
    await ada.says("/check", to=group)
    await ada.says("/check", to=group, reply_to=words)
    for answer in await group.answers(2):
        assert answer.kind == "text" and "/check" in answer.text


async def test_a_discussion_group(
    ada: Person, telegram: Telegram, detector: ReferenceDetector, portrait: Pixels
) -> None:
    channel = Channel(telegram, "News", Group(telegram, "Comments", ada))
    post = await channel.posts_photo(as_file(tampered(portrait)), "Breaking")
    await telegram.settled()
    assert not channel.group.unread
    await ada.says("/check", to=channel.group, reply_to=post)
    answer = await channel.group.answer()
    assert answer.reply_to is post
    detector.check_annotated(answer.data, post.data)
    assert "News" in answer.text, "a post of the channel is a forward"


async def test_a_topic_of_a_forum(ada: Person, group: Group, portrait: Pixels) -> None:
    photo = await ada.sends_photo(as_file(genuine(portrait)), "/check", to=group, topic=17)
    answer = await group.answer()
    assert answer.reply_to is photo and answer.content["message_thread_id"] == 17
    await ada.presses(answer, "Mask")
    assert (await group.answer()).content["message_thread_id"] == 17


async def test_an_anonymous_administrator(
    ada: Person,
    new_person: Callable[..., Person],
    group: Group,
    detector: ReferenceDetector,
    portrait: Pixels,
) -> None:
    """They write as the group itself but press buttons as themselves, so all administrators may."""
    anonymous, root = new_person("Group", "en", 1087968824), new_person("Root")
    group.chat.status[root.user.id] = "administrator"
    photo = await anonymous.sends_photo(as_file(tampered(portrait)), "/check", to=group)
    answer = await group.answer()
    assert (await ada.presses(answer, "Mask")).alert
    await root.presses(answer, "Mask")
    detector.check_mask((await group.answer()).data, photo.data)


async def test_a_group_that_becomes_a_supergroup_in_between(
    ada: Person, telegram: Telegram, group: Group, detector: ReferenceDetector, portrait: Pixels
) -> None:
    after = Group(telegram, "Fact desk", ada)
    before = str(group.chat.id)
    telegram.faults.add(
        "sendPhoto", "migrated", after.chat.id, times=9, when=lambda c: c.text("chat_id") == before
    )
    photo = await ada.sends_photo(as_file(tampered(portrait)), "/check", to=group)
    detector.check_annotated((await after.answer()).data, photo.data)


async def test_a_group_where_the_bot_may_not_write(
    ada: Person, telegram: Telegram, group: Group, portrait: Pixels
) -> None:
    telegram.faults.add(
        "*", "status", 403, times=20, when=lambda call: call.text("chat_id") == str(group.chat.id)
    )
    await ada.sends_photo(as_file(genuine(portrait)), "/check", to=group)
    await telegram.settled()
    telegram.faults.clear()
    assert not group.written
    await ada.sends_photo(as_file(genuine(portrait)))
    await ada.answer()
