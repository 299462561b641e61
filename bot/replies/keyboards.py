"""The buttons below an answer, and what they send when they are pressed.

Their data is ``action:token`` or ``action:token:argument``, at most 64 bytes; the token leads to a
ticket (bot/state/callback_data.py), which holds all else.
"""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from urllib.parse import urlsplit

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.i18n import LANGUAGES, Words


class Action(StrEnum):
    """What a button does. The values are short, for 64 bytes must hold them."""

    MASK = "m"
    HEATMAP = "h"
    ORIGINAL = "o"
    WRONG = "w"
    TRUTH = "t"
    CONSENT = "c"
    DELETE = "d"
    DELETE_ONE = "x"
    DELETE_ALL = "y"
    KEEP = "k"
    ANEW = "a"
    PAGE = "p"
    LANGUAGE = "l"


_PER_ROW = 5


def data(action: Action, token: str, argument: str = "") -> str:
    """What a button sends."""
    return f"{action}:{token}" + (f":{argument}" if argument else "")


def below_picture(
    words: Words, token: str, *, report_url: str = "", anew: bool = False, album: str = ""
) -> InlineKeyboardMarkup:
    """The buttons of one picture; ``album`` is the token of the album that it is in."""
    rows = [
        [
            _button(words.say("Mask"), Action.MASK, token),
            _button(words.say("Heatmap"), Action.HEATMAP, token),
            _button(words.say("Original size"), Action.ORIGINAL, token),
        ],
        [
            _button(words.say("Wrong verdict?"), Action.WRONG, token),
            _button(words.say("Delete my data"), Action.DELETE, token),
        ],
    ]
    if report_url:
        rows.insert(1, [InlineKeyboardButton(words.say("Full report"), url=report_url)])
    if anew:
        rows.insert(1, [_button(words.say("Examine anew"), Action.ANEW, token)])
    if album:
        rows.append([_button(words.say("« All pictures"), Action.PAGE, album)])
    return InlineKeyboardMarkup(rows)


def below_album(token: str, numbers: list[int]) -> InlineKeyboardMarkup:
    """A button for each picture of an album; ``numbers`` are those of the caption."""
    buttons = [
        _button(str(number), Action.PAGE, token, str(at)) for at, number in enumerate(numbers)
    ]
    rows = [buttons[at : at + _PER_ROW] for at in range(0, len(buttons), _PER_ROW)]
    return InlineKeyboardMarkup(rows)


def truth(words: Words, token: str) -> InlineKeyboardMarkup:
    """What the picture is in truth."""
    return InlineKeyboardMarkup(
        [
            [
                _button(words.say("It is manipulated"), Action.TRUTH, token, "fake"),
                _button(words.say("It is genuine"), Action.TRUTH, token, "real"),
            ],
            [
                _button(words.say("I do not know"), Action.TRUTH, token, "unknown"),
                _button(words.say("Cancel"), Action.KEEP, token),
            ],
        ]
    )


def consent(words: Words, token: str, said: str) -> InlineKeyboardMarkup:
    """Whether the photo may be kept with what was said."""
    return InlineKeyboardMarkup(
        [
            [_button(words.say("Only the verdict"), Action.CONSENT, token, f"{said}-no")],
            [_button(words.say("Keep the photo too"), Action.CONSENT, token, f"{said}-yes")],
            [_button(words.say("Cancel"), Action.KEEP, token)],
        ]
    )


def removal(words: Words, token: str, user: int, *, one: bool) -> InlineKeyboardMarkup:
    """What to delete. ``one`` offers the one result of the token."""
    rows = [
        [_button(words.say("Everything kept about me"), Action.DELETE_ALL, str(user))],
        [_button(words.say("Cancel"), Action.KEEP, token)],
    ]
    if one:
        rows.insert(0, [_button(words.say("This photo and its result"), Action.DELETE_ONE, token)])
    return InlineKeyboardMarkup(rows)


def languages() -> InlineKeyboardMarkup:
    """The languages, each by its own name."""
    buttons = [_button(name, Action.LANGUAGE, code) for code, name in LANGUAGES.items()]
    return InlineKeyboardMarkup([buttons[at : at + 2] for at in range(0, len(buttons), 2)])


def report_url(public_url: str, check: str) -> str:
    """Where the full report is; empty unless people elsewhere can open it."""
    host = urlsplit(public_url).hostname or ""
    if not public_url.startswith(("http://", "https://")) or "." not in host:
        return ""
    try:
        if ipaddress.ip_address(host).is_loopback:
            return ""
    except ValueError:
        pass
    return f"{public_url.rstrip('/')}/c/{check}"


def _button(text: str, action: Action, token: str, argument: str = "") -> InlineKeyboardButton:
    return InlineKeyboardButton(text, callback_data=data(action, token, argument))
