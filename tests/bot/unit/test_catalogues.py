"""Every text is said in every language, and what is shipped is what is written."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable

import pytest
from babel.messages.catalog import Message
from babel.messages.mofile import write_mo

from bot.i18n import DEFAULT, LANGUAGES, language_of, words
from scripts.catalogues import paths, read, texts

OTHERS = sorted(set(LANGUAGES) - {DEFAULT})


def parts(said: str | Iterable[str]) -> list[str]:
    return [said] if isinstance(said, str) else list(said)


def placeholders(said: str | Iterable[str]) -> set[str]:
    return set(re.findall(r"\{\w*\}", "".join(parts(said))))


def messages(language: str) -> dict[object, Message]:
    return {message.id: message for message in read(language, paths()[language]) if message.id}


def test_there_is_a_catalogue_for_each_language() -> None:
    assert sorted(paths()) == OTHERS


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_has_all_texts_and_no_others(language: str) -> None:
    wanted = {message.id for message in texts() if message.id}
    assert len(wanted) > 100
    assert set(messages(language)) == wanted, "run: python -m scripts.catalogues, and translate"


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_with_its_placeholders(language: str) -> None:
    for text, message in messages(language).items():
        assert not message.fuzzy
        assert all(parts(message.string)), f"not translated: {text!r}"
        assert placeholders(message.string) == placeholders(text), text  # type: ignore[arg-type]
        for command in re.findall(r"(?<![\w/])/[a-z]+", "".join(parts(text))):  # type: ignore[arg-type]
            assert command in "".join(parts(message.string)), f"{command} is lost in {text!r}"


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    path = paths()[language]
    compiled = io.BytesIO()
    write_mo(compiled, read(language, path))
    assert path.with_suffix(".mo").read_bytes() == compiled.getvalue()


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_are_said_as_the_language_counts(language: str) -> None:
    said = [words(language).count("{number} face", "{number} faces", number) for number in (1, 5)]
    assert said[0].startswith("1 ") and said[1].startswith("5 ")
    assert said[0][2:] != said[1][2:]


@pytest.mark.parametrize(
    ("codes", "language"),
    [(["de-AT"], "de"), (["pt-BR", "fr"], "fr"), ([None], "en"), (["", "TE"], "te"), ([], "en")],
)
def test_the_language_of_a_tag(codes: list[str | None], language: str) -> None:
    assert language_of(codes) == language


def test_a_language_that_there_is_not_is_english() -> None:
    assert words("xx").say("Mask") == "Mask"
