"""Every text is translated into every language, and the compiled catalogues are up to date."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.mofile import write_mo

from scripts.catalogues import HEART, ROOMS, catalogues, path, read, texts
from unmask.i18n import LANGUAGES, language_of, terminal_language, texts_in

EACH = list(catalogues())
expected_texts = cache(texts)


def forms(text: str | Iterable[str]) -> list[str]:
    """The plural forms of a text, or the only one."""
    return [text] if isinstance(text, str) else list(text)


def placeholders(text: str | Iterable[str]) -> set[str]:
    return set(re.findall(r"\{\w*\}", "".join(forms(text))))


def messages(room: str, language: str) -> dict[object, Message]:
    return {message.id: message for message in read(room, language) if message.id}


def test_every_room_has_texts() -> None:
    for room in ROOMS:
        assert len(expected_texts(room)) > 20
    heart = {message.id for message in expected_texts(HEART) if message.id}
    for room in set(ROOMS) - {HEART}:
        assert not heart & {message.id for message in expected_texts(room)}


@pytest.mark.parametrize(("room", "language"), EACH)
def test_a_catalogue_has_all_texts_and_no_others(room: str, language: str) -> None:
    expected = {message.id for message in expected_texts(room) if message.id}
    told = "run: python -m scripts.catalogues, and translate"
    assert set(messages(room, language)) == expected, told


@pytest.mark.parametrize(("room", "language"), EACH)
def test_every_text_is_translated_with_its_placeholders(room: str, language: str) -> None:
    for text, message in messages(room, language).items():
        assert not message.fuzzy
        assert all(forms(message.string)), f"not translated: {text!r}"
        assert placeholders(message.string) == placeholders(text), text  # type: ignore[arg-type]
        for command in re.findall(r"(?<![\w/])/[a-z]+", "".join(forms(text))):  # type: ignore[arg-type]
            assert command in "".join(forms(message.string)), f"{command} is lost in {text!r}"


@pytest.mark.parametrize(("room", "language"), EACH)
def test_the_compiled_catalogue_is_up_to_date(room: str, language: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, read(room, language))
    assert path(room, language).with_suffix(".mo").read_bytes() == compiled.getvalue()


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_are_those_of_the_language(language: str) -> None:
    texts = texts_in(language)
    one, five = (texts.ngettext("{number} hour", "{number} hours", number) for number in (1, 5))
    assert one.startswith("1 ") and five.startswith("5 ")
    assert one[2:] != five[2:]


@pytest.mark.parametrize(
    ("codes", "language"),
    [(["de-AT"], "de"), (["pt-BR", "fr"], "fr"), ([None], "en"), (["", "TE"], "te"), ([], "en")],
)
def test_the_language_of_a_tag(codes: list[str | None], language: str) -> None:
    assert language_of(codes) == language


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "", "LC_MESSAGES": "hi_IN"}, "hi"),
        ({"LANG": "te"}, "te"),
        ({"LANG": "ja_JP.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_of_a_terminal(environment: dict[str, str], language: str) -> None:
    assert terminal_language(environment) == language


def test_the_docs_name_the_languages() -> None:
    docs = Path(__file__).parents[2] / "docs" / "api.md"
    listed = re.search(r"`\?lang=` \(([^)]+)\)", docs.read_text())
    assert listed and set(re.findall(r"\w+", listed[1])) == set(LANGUAGES)


def test_an_unknown_language_is_english() -> None:
    assert texts_in("xx").gettext("Unsure") == "Unsure"
