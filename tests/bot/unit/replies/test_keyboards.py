"""Buttons: short enough, and no link that nobody can open."""

from __future__ import annotations

import pytest
from telegram import InlineKeyboardMarkup

from bot.i18n import LANGUAGES, words
from bot.replies import keyboards
from bot.state.callback_data import Tickets

TOKEN = Tickets.token()
LARGEST = 2**52 - 1


def all_keyboards(language: str) -> list[InlineKeyboardMarkup]:
    said = words(language)
    return [
        keyboards.below_picture(said, TOKEN, report_url="https://x.org", anew=True, album=TOKEN),
        keyboards.below_album(TOKEN, list(range(1, 11))),
        keyboards.truth(said, TOKEN),
        keyboards.consent(said, TOKEN, "unknown"),
        keyboards.removal(said, TOKEN, LARGEST, one=True),
        keyboards.languages(),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_data_fits_and_is_unlike_any_other(language: str) -> None:
    for keyboard in all_keyboards(language):
        data = [b.callback_data for row in keyboard.inline_keyboard for b in row if not b.url]
        assert len(set(data)) == len(data)
        assert all(isinstance(one, str) and 1 <= len(one.encode()) <= 64 for one in data)


def test_actions_are_told_apart() -> None:
    assert len({action.value for action in keyboards.Action}) == len(keyboards.Action)
    assert len({Tickets.token() for _ in range(100)}) == 100


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
