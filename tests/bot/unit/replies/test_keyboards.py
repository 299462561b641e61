"""Buttons: their data is short enough, and their links can be opened."""

from __future__ import annotations

import pytest
from telegram import InlineKeyboardMarkup

from bot.i18n import texts_in
from bot.replies import keyboards
from bot.state.callback_data import CallbackDataStore
from unmask.i18n import LANGUAGES

TOKEN = CallbackDataStore.new_token()
LARGEST = 2**52 - 1


def all_keyboards(language: str) -> list[InlineKeyboardMarkup]:
    texts = texts_in(language)
    return [
        keyboards.below_picture(
            texts, TOKEN, report_url="https://x.org", examine_again=True, album=TOKEN
        ),
        keyboards.below_album(TOKEN, list(range(1, 11))),
        keyboards.truth(texts, TOKEN),
        keyboards.consent(texts, TOKEN, "unknown"),
        keyboards.removal(texts, TOKEN, LARGEST, one=True),
        keyboards.languages(),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_data_of_each_button_fits_and_is_unique(language: str) -> None:
    for keyboard in all_keyboards(language):
        data = [b.callback_data for row in keyboard.inline_keyboard for b in row if not b.url]
        assert len(set(data)) == len(data)
        assert all(isinstance(one, str) and 1 <= len(one.encode()) <= 64 for one in data)


def test_actions_keep_the_values_that_old_chat_messages_send() -> None:
    values = {
        "MASK": "m",
        "HEATMAP": "h",
        "ORIGINAL": "o",
        "WRONG": "w",
        "TRUTH": "t",
        "CONSENT": "c",
        "DELETE": "d",
        "DELETE_ONE": "x",
        "DELETE_ALL": "y",
        "CANCEL": "k",
        "EXAMINE_AGAIN": "a",
        "PAGE": "p",
        "LANGUAGE": "l",
    }
    assert {action.name: action.value for action in keyboards.Action} == values
    assert keyboards.callback_data(keyboards.Action.PAGE, "T", "1") == "p:T:1"


def test_actions_and_tokens_are_unique() -> None:
    assert len({action.value for action in keyboards.Action}) == len(keyboards.Action)
    assert len({CallbackDataStore.new_token() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("public", "url"),
    [
        ("", ""),
        ("http://localhost:8080", ""),
        ("http://127.0.0.1:8080", ""),
        ("http://[::1]:8080", ""),
        ("javascript:alert(1)", ""),
        ("https://unmask.example.org/", "https://unmask.example.org/c/abc"),
        ("https://example.org/unmask", "https://example.org/unmask/c/abc"),
    ],
)
def test_the_link_to_the_report(public: str, url: str) -> None:
    assert keyboards.report_url(public, "abc") == url
