"""The commands, in every language."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.bot.bot_process import QueueProbe
from tests.bot.conftest import ADMIN
from tests.bot.image_asserts import Pixels, as_file, faceless, genuine
from tests.bot.telegram import Group, Person, Telegram

pytestmark = pytest.mark.anyio
LANGUAGES = {
    "en": "English",
    "es": "Español",
    "fr": "Français",
    "de": "Deutsch",
    "hi": "हिन्दी",
    "te": "తెలుగు",
}
SCRIPTS = {"hi": range(0x0900, 0x0980), "te": range(0x0C00, 0x0C80)}
#: A common word of each language, which any longer text contains.
WORDS = {"en": " the ", "es": " de ", "fr": " de ", "de": " die "}


def is_in(text: str, language: str) -> bool:
    """Whether a text of some length is in a language."""
    letters = [letter for letter in text if letter.isalpha()]
    if language in SCRIPTS:
        return sum(ord(letter) in SCRIPTS[language] for letter in letters) > len(letters) / 2
    return WORDS[language] in text.lower() and all(ord(letter) < 0x250 for letter in letters)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_command_in_every_language(
    new_person: Callable[..., Person], language: str
) -> None:
    person = new_person("Ada", language)
    commands = ("/start", "/help", "/privacy", "/language", "/delete")
    for command in commands:
        await person.says(command)
    texts = [answer.text for answer in await person.answers(len(commands))]
    for command, text in zip(commands, texts, strict=True):
        assert command in ("/language", "/delete") or is_in(text, language), (command, text)
    assert len(set(texts)) == len(commands)


async def test_the_languages_differ(new_person: Callable[..., Person]) -> None:
    texts_by_language: dict[str, list[str]] = {}
    for language in LANGUAGES:
        person = new_person("Ada", language)
        for command in ("/start", "/help", "/privacy", "/language", "/delete"):
            await person.says(command)
        texts_by_language[language] = [answer.text for answer in await person.answers(5)]
    for texts in zip(*texts_by_language.values(), strict=True):
        assert len(set(texts)) == len(LANGUAGES)


@pytest.mark.parametrize(
    ("code", "language"), [("pt-br", "en"), ("de-AT", "de"), ("", "en"), ("zh-hans", "en")]
)
async def test_a_language_that_the_bot_does_not_have(
    new_person: Callable[..., Person], code: str, language: str
) -> None:
    person = new_person("Ada", code)
    await person.says("/help")
    assert is_in((await person.answer()).text, language)


async def test_choosing_a_language(ada: Person, telegram: Telegram, portrait: Pixels) -> None:
    await ada.says("/language")
    question = await ada.answer()
    assert [button["text"] for button in question.buttons] == list(LANGUAGES.values())
    await ada.presses(question, "Español")
    await telegram.settled()
    ada.chat.read_count = len(ada.written)
    await ada.says("/help")
    assert is_in((await ada.answer()).text, "es")
    await ada.sends_file(as_file(genuine(portrait)))
    answer = await ada.answer()
    assert is_in(answer.text, "es") and not answer.has_button("Wrong verdict")


async def test_replies_are_in_the_language_of_the_user(
    new_person: Callable[..., Person], telegram: Telegram, portrait: Pixels
) -> None:
    for language in LANGUAGES:
        person = new_person("Ada", language)
        await person.sends_file(as_file(genuine(portrait)))
        await person.sends_file(as_file(faceless()))
        await person.sends_file(b"nothing", "a.jpg")
        *pictures, error = sorted(await person.answers(3), key=lambda one: one.kind != "photo")
        for answer in pictures:
            assert is_in(answer.text, language), answer.text
        assert ("This is not a picture" in error.text) is (language == "en")


async def test_the_menu_of_commands(telegram: Telegram) -> None:
    names = {"start", "help", "language", "privacy", "delete"}
    descriptions = set()
    for language in LANGUAGES:
        code = "" if language == "en" else language
        listed = [
            {entry["command"]: entry["description"] for entry in commands}
            for (_, of), commands in telegram.commands.items()
            if of == code
        ]
        assert listed, f"no menu in {language}"
        assert any(names <= menu.keys() for menu in listed)
        descriptions |= {menu["privacy"] for menu in listed if "privacy" in menu}
        assert not any("stats" in menu for menu in listed), "that is for administrators"
    assert len(descriptions) == len(LANGUAGES)


async def test_delete_removes_everything_of_a_user(
    ada: Person,
    new_person: Callable[..., Person],
    queue: QueueProbe,
    telegram: Telegram,
    portrait: Pixels,
) -> None:
    bob = new_person("Bob")
    data = as_file(genuine(portrait))
    checks = {}
    for person in (ada, bob):
        await person.sends_file(data)
        answer = await person.answer()
        checks[person.user.id] = answer.button("Full report")["url"].rpartition("/")[2]
    await ada.says("/language")
    await ada.presses(await ada.answer(), "Deutsch")
    await ada.says("/delete")
    await telegram.settled()
    question = ada.unread[-1]
    ada.chat.read_count = len(ada.written)
    assert queue.keys(f"unmask:check:{checks[ada.user.id]}")
    everything = next(b for b in question.buttons if str(ada.user.id) in b["callback_data"])
    await ada.presses(question, everything["text"])
    await telegram.until(lambda: not queue.keys(f"unmask:check:{checks[ada.user.id]}"))
    await telegram.settled()
    ada.chat.read_count = len(ada.written)
    assert queue.keys(f"unmask:check:{checks[bob.user.id]}"), "another user's check stays"
    keys = [key for key in queue.keys("unmask:bot:*") if str(ada.user.id) in key]
    assert all(":rate:" in key for key in keys), "only the rate limit stays"


async def test_delete_stops_pictures_that_are_being_examined(
    ada: Person, queue: QueueProbe, telegram: Telegram, portrait: Pixels
) -> None:
    hold = telegram.faults.add("getFile", "hold")
    await ada.sends_file(as_file(genuine(portrait)))
    await telegram.until(lambda: hold.met)
    await ada.says("/delete")
    question = await ada.answer()
    await ada.presses(question, "Everything")
    hold.released.set()
    await telegram.settled()
    assert all(answer.kind == "text" for answer in ada.unread)
    ada.chat.read_count = len(ada.written)
    assert queue.idle


async def test_only_the_user_themselves_can_delete(
    ada: Person, new_person: Callable[..., Person], telegram: Telegram, portrait: Pixels
) -> None:
    group, eve = Group(telegram, "Desk", ada), new_person("Eve")
    await ada.says("/delete", to=group)
    question = await group.answer()
    press = await eve.presses(question, "Everything")
    assert press.alert and press.text
    await telegram.settled()
    assert question.buttons
    eve.touches(question, f"y:{eve.user.id}")
    await telegram.settled()
    group.chat.read_count = len(group.written)


async def test_stats_are_for_administrators(
    ada: Person, new_person: Callable[..., Person], telegram: Telegram, portrait: Pixels
) -> None:
    await ada.says("/stats")
    refused = await ada.answer()
    admin = new_person("Root", "en", ADMIN)
    await admin.sends_file(as_file(genuine(portrait)))
    await admin.answer()
    await admin.says("/stats")
    answer = await admin.answer()
    assert any(letter.isdigit() for letter in answer.text) and answer.text != refused.text
    assert not any(letter.isdigit() for letter in refused.text)


async def test_unknown_commands(ada: Person) -> None:
    await ada.says("/frobnicate")
    assert "/help" in (await ada.answer()).text
    await ada.says("/START")
    await ada.answer()


async def test_commands_in_a_group_are_answered_there(ada: Person, telegram: Telegram) -> None:
    group = Group(telegram, "Desk", ada)
    await ada.says("/help@unmask_test_bot", to=group)
    assert "/check" in (await group.answer()).text
