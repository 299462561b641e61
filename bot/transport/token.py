"""The bot's token, and what is derived from it."""

from __future__ import annotations

import hashlib
import hmac
import re

from unmask.settings import Settings

_FORM = re.compile(r"([0-9]{1,20}):[A-Za-z0-9_-]{3,}")


class TokenError(Exception):
    """The token is missing or malformed; the message says what to do, and never quotes it."""


def token_of(settings: Settings) -> str:
    """The token; raises :class:`TokenError`."""
    token = settings.telegram_token.get_secret_value().strip() if settings.telegram_token else ""
    if not token:
        raise TokenError(
            "TELEGRAM_TOKEN: set it to the token that BotFather gave; docs/bot.md tells how."
        )
    if not _FORM.fullmatch(token):
        raise TokenError("TELEGRAM_TOKEN: that is not a token as BotFather gives them.")
    return token


def bot_id(token: str) -> int:
    """The bot's own user id: the part before the colon, which is public."""
    return int(token.partition(":")[0])


def derived(token: str, purpose: str) -> str:
    """A secret for one purpose, 64 hexadecimal digits, that does not reveal the token."""
    return hmac.new(token.encode(), purpose.encode(), hashlib.sha256).hexdigest()
