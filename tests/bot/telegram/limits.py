"""What Telegram refuses, in its own words."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from PIL import Image, UnidentifiedImageError
from telegram.constants import ChatAction, ReactionEmoji
from yarl import URL

from tests.bot.telegram.answers import Json, bad_request

MAX_TEXT, MAX_CAPTION, MAX_CALLBACK_DATA, MAX_CALLBACK_ANSWER = 4096, 1024, 64, 200
MAX_DOWNLOAD, MAX_PHOTO, MAX_DOCUMENT = 20 * 2**20, 10 * 2**20, 50 * 2**20
MAX_BUTTONS, MAX_BUTTONS_A_ROW = 100, 8
REACTIONS = frozenset(ReactionEmoji)
ACTIONS = frozenset(ChatAction)

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


def units(text: str) -> int:
    """The length that Telegram counts: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def checked_text(text: str) -> str:
    if not text.strip():
        raise bad_request("message text is empty")
    if units(text) > MAX_TEXT:
        raise bad_request("message is too long")
    return text


def checked_caption(text: str) -> str:
    if units(text) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    return text


def checked_photo(data: bytes) -> tuple[int, int]:
    """The size of a photo that a bot uploads."""
    if len(data) > MAX_PHOTO:
        raise bad_request("file is too big")
    try:
        with Image.open(BytesIO(data)) as image:
            image.load()
            width, height = image.size
    except (UnidentifiedImageError, OSError):
        raise bad_request("IMAGE_PROCESS_FAILED") from None
    if width + height > 10_000 or max(width, height) > 20 * min(width, height):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")
    return width, height


def checked_document(data: bytes) -> None:
    if not data:
        raise bad_request("file must be non-empty")
    if len(data) > MAX_DOCUMENT:
        raise bad_request("Request Entity Too Large")


def checked_keyboard(markup: Any) -> Json | None:
    """An inline keyboard, if Telegram accepts every button of it."""
    if not markup:
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    rows = markup.get("inline_keyboard")
    if rows is None:
        return dict(markup)
    if sum(map(len, rows)) > MAX_BUTTONS or any(len(row) > MAX_BUTTONS_A_ROW for row in rows):
        raise bad_request("reply markup is too long")
    for row in rows:
        for button in row:
            _check_button(button)
    return {"inline_keyboard": [row for row in rows if row]}


def _check_button(button: Json) -> None:
    if not str(button.get("text", "")).strip():
        raise bad_request("can't parse inline keyboard button: Text buttons must be non-empty")
    kinds = {"callback_data", "url", "switch_inline_query", "web_app", "copy_text", "login_url"}
    if len(kinds & button.keys()) != 1:
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed")
    if "callback_data" in button:
        if not 1 <= len(str(button["callback_data"]).encode()) <= MAX_CALLBACK_DATA:
            raise bad_request("BUTTON_DATA_INVALID")
    elif "url" in button:
        _check_url(str(button["url"]))


def _check_url(text: str) -> None:
    try:
        url = URL(text)
        fits = url.scheme in ("http", "https", "tg") and "." in (url.raw_host or "")
    except ValueError:
        fits = False
    if not fits:
        raise bad_request(f"inline keyboard button URL '{text}' is invalid: Wrong HTTP URL")


def checked_commands(commands: list[Json]) -> list[Json]:
    if len(commands) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not _COMMAND.fullmatch(command["command"]):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= units(command["description"]) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return commands


def checked_reactions(reactions: list[Json]) -> list[Json]:
    if len(reactions) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    for reaction in reactions:
        if reaction.get("type") != "emoji" or reaction.get("emoji") not in REACTIONS:
            raise bad_request("REACTION_INVALID")
    return reactions


def checked_action(action: str) -> str:
    if action not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    return action


def checked_secret(secret: str) -> str:
    if secret and not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    return secret
