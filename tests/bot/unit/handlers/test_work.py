"""What the bot reads out of /verdict."""

from __future__ import annotations

import re

import pytest

from bot.handlers.work import Opinion, read_opinion
from bot.i18n import texts_in
from bot.replies.team import SURE, verdict_names
from unmask.i18n import LANGUAGES


@pytest.mark.parametrize(
    ("text", "opinion"),
    [
        ("manipulated: The ears.", Opinion("manipulated", "medium", "The ears.")),
        ("Manipulated The ears.", Opinion("manipulated", "medium", "The ears.")),
        ("manipulated high: The ears.", Opinion("manipulated", "high", "The ears.")),
        ("generated LOW : six\nfingers", Opinion("generated", "low", "six\nfingers")),
        ("out of context: 2019.", Opinion("out_of_context", "medium", "2019.")),
        ("out_of_context 2019.", Opinion("out_of_context", "medium", "2019.")),
        ("Cannot-tell high: small", Opinion("cannot_tell", "high", "small")),
        # A reason is no confidence, and a colon in it is part of it.
        ("authentic High contrast", Opinion("authentic", "medium", "High contrast")),
        ("authentic The source: AP", Opinion("authentic", "medium", "The source: AP")),
        ("authentic high", Opinion("authentic", "medium", "high")),
        ("authentic", None),
        ("authentic:", None),
        ("authentic high:", None),
        ("authentically so", None),
        ("fake: no", None),
        ("", None),
    ],
)
def test_a_verdict_how_sure_and_why(text: str, opinion: Opinion | None) -> None:
    assert read_opinion(texts_in("en"), text) == opinion


@pytest.mark.parametrize("language", LANGUAGES)
def test_verdicts_are_read_in_each_language_and_in_english(language: str) -> None:
    texts = texts_in(language)
    for key, name in verdict_names(texts).items():
        for sure, word in SURE.items():
            expected = Opinion(key, sure, "why")
            assert read_opinion(texts, f"{name} {texts.gettext(word)}: why") == expected
            assert read_opinion(texts, f"{key} {sure}: why") == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_bot_gives_as_examples_it_reads(language: str) -> None:
    texts = texts_in(language)
    hint = texts.gettext(
        "Decide it on its page, or here: /verdict {number} manipulated: why you say so", number=7
    )
    example = re.search(r"/verdict 7 (.*)", hint)
    assert example is not None
    opinion = read_opinion(texts, example[1])
    assert opinion is not None and opinion.verdict == "manipulated", hint
