"""The buttons below a reply, and the callback data that they send.

It is ``action:token`` or ``action:token:argument``, at most 64 bytes. The rest is stored in Redis
under the token (bot/state/callback_data.py).
"""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from urllib.parse import urlsplit

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from unmask.i18n import LANGUAGES, Texts


class Action(StrEnum):
    """What a button does. The values are short, to fit the 64 bytes, and never change: buttons in
    old chat messages send them."""

    MASK = "m"
    HEATMAP = "h"
    ORIGINAL = "o"
    WRONG = "w"
    TRUTH = "t"
    CONSENT = "c"
    DELETE = "d"
    DELETE_ONE = "x"
    DELETE_ALL = "y"
    CANCEL = "k"
    EXAMINE_AGAIN = "a"
    PAGE = "p"
    LANGUAGE = "l"


#: How many pictures of an album have their buttons in one row.
_PER_ROW = 5


def callback_data(action: Action, token: str, argument: str = "") -> str:
    """The data that a button sends."""
    return f"{action}:{token}" + (f":{argument}" if argument else "")


def below_picture(
    texts: Texts, token: str, *, report_url: str = "", examine_again: bool = False, album: str = ""
) -> InlineKeyboardMarkup:
    """The buttons of one picture; ``album`` is the token of its album, if it is in one."""
    rows = [
        [
            _button(texts.gettext("Mask"), Action.MASK, token),
            _button(texts.gettext("Heatmap"), Action.HEATMAP, token),
            _button(texts.gettext("Original size"), Action.ORIGINAL, token),
        ],
        [
            _button(texts.gettext("Wrong verdict?"), Action.WRONG, token),
            _button(texts.gettext("Delete my data"), Action.DELETE, token),
        ],
    ]
    if report_url:
        rows.insert(1, [InlineKeyboardButton(texts.gettext("Full report"), url=report_url)])
    if examine_again:
        rows.insert(1, [_button(texts.gettext("Examine again"), Action.EXAMINE_AGAIN, token)])
    if album:
        rows.append([_button(texts.gettext("« All pictures"), Action.PAGE, album)])
    return InlineKeyboardMarkup(rows)


def below_album(token: str, numbers: list[int]) -> InlineKeyboardMarkup:
    """A button for each picture of an album; ``numbers`` are those of the caption."""
    buttons = [
        _button(str(number), Action.PAGE, token, str(index)) for index, number in enumerate(numbers)
    ]
    rows = [buttons[at : at + _PER_ROW] for at in range(0, len(buttons), _PER_ROW)]
    return InlineKeyboardMarkup(rows)


def truth(texts: Texts, token: str) -> InlineKeyboardMarkup:
    """Buttons that ask what the picture really is."""
    return InlineKeyboardMarkup(
        [
            [
                _button(texts.gettext("It is manipulated"), Action.TRUTH, token, "fake"),
                _button(texts.gettext("It is genuine"), Action.TRUTH, token, "real"),
            ],
            [
                _button(texts.gettext("I do not know"), Action.TRUTH, token, "unknown"),
                _button(texts.gettext("Cancel"), Action.CANCEL, token),
            ],
        ]
    )


def consent(texts: Texts, token: str, truth: str) -> InlineKeyboardMarkup:
    """Buttons that ask whether the photo may be kept with the opinion ``truth``."""
    return InlineKeyboardMarkup(
        [
            [_button(texts.gettext("Only the verdict"), Action.CONSENT, token, f"{truth}-no")],
            [_button(texts.gettext("Keep the photo too"), Action.CONSENT, token, f"{truth}-yes")],
            [_button(texts.gettext("Cancel"), Action.CANCEL, token)],
        ]
    )


def removal(texts: Texts, token: str, user: int, *, one: bool) -> InlineKeyboardMarkup:
    """Buttons that ask what to delete. ``one`` offers the one result of the token."""
    rows = [
        [_button(texts.gettext("Everything stored about me"), Action.DELETE_ALL, str(user))],
        [_button(texts.gettext("Cancel"), Action.CANCEL, token)],
    ]
    if one:
        rows.insert(
            0, [_button(texts.gettext("This photo and its result"), Action.DELETE_ONE, token)]
        )
    return InlineKeyboardMarkup(rows)


def languages() -> InlineKeyboardMarkup:
    """A button for each language, by its own name."""
    buttons = [_button(name, Action.LANGUAGE, code) for code, name in LANGUAGES.items()]
    return InlineKeyboardMarkup([buttons[at : at + 2] for at in range(0, len(buttons), 2)])


def report_url(public_url: str, check: str) -> str:
    """The URL of the full report; empty if ``public_url`` is not a public address."""
    return f"{public_url.rstrip('/')}/c/{check}" if is_public(public_url) else ""


def is_public(url: str) -> bool:
    """Whether a URL may be that of a button: Telegram refuses those of this machine."""
    host = urlsplit(url).hostname or ""
    if not url.startswith(("http://", "https://")) or "." not in host:
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def _button(text: str, action: Action, token: str, argument: str = "") -> InlineKeyboardButton:
    return InlineKeyboardButton(text, callback_data=callback_data(action, token, argument))
