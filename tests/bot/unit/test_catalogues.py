"""Every text is translated into every language, and the compiled catalogues are up to date."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable

import pytest
from babel.messages.catalog import Message
from babel.messages.mofile import write_mo

from bot.i18n import DEFAULT, LANGUAGES, language_of, texts_in
from scripts.catalogues import paths, read, texts

OTHERS = sorted(set(LANGUAGES) - {DEFAULT})


def forms(text: str | Iterable[str]) -> list[str]:
    """The plural forms of a text, or the only one."""
    return [text] if isinstance(text, str) else list(text)


def placeholders(text: str | Iterable[str]) -> set[str]:
    return set(re.findall(r"\{\w*\}", "".join(forms(text))))


def messages(language: str) -> dict[object, Message]:
    return {message.id: message for message in read(language, paths()[language]) if message.id}


def test_there_is_a_catalogue_for_each_language() -> None:
    assert sorted(paths()) == OTHERS


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_has_all_texts_and_no_others(language: str) -> None:
    expected = {message.id for message in texts() if message.id}
    assert len(expected) > 100
    assert set(messages(language)) == expected, "run: python -m scripts.catalogues, and translate"


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_with_its_placeholders(language: str) -> None:
    for text, message in messages(language).items():
        assert not message.fuzzy
        assert all(forms(message.string)), f"not translated: {text!r}"
        assert placeholders(message.string) == placeholders(text), text  # type: ignore[arg-type]
        for command in re.findall(r"(?<![\w/])/[a-z]+", "".join(forms(text))):  # type: ignore[arg-type]
            assert command in "".join(forms(message.string)), f"{command} is lost in {text!r}"


@pytest.mark.parametrize("language", OTHERS)
def test_the_compiled_catalogue_is_up_to_date(language: str) -> None:
    path = paths()[language]
    compiled = io.BytesIO()
    write_mo(compiled, read(language, path))
    assert path.with_suffix(".mo").read_bytes() == compiled.getvalue()


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_are_those_of_the_language(language: str) -> None:
    texts = texts_in(language)
    one, five = (texts.ngettext("{number} face", "{number} faces", number) for number in (1, 5))
    assert one.startswith("1 ") and five.startswith("5 ")
    assert one[2:] != five[2:]


@pytest.mark.parametrize(
    ("codes", "language"),
    [(["de-AT"], "de"), (["pt-BR", "fr"], "fr"), ([None], "en"), (["", "TE"], "te"), ([], "en")],
)
def test_the_language_of_a_tag(codes: list[str | None], language: str) -> None:
    assert language_of(codes) == language


def test_an_unknown_language_is_english() -> None:
    assert texts_in("xx").gettext("Mask") == "Mask"
