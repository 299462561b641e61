"""A small Telegram on loopback: the Bot API as a bot sees it, and people who write to the bot.

Strict where Telegram is: what it would refuse is refused here in the same words, and counted, so
that a bot that breaks a limit fails its test. Faults happen on demand (:mod:`.faults`).
"""

from tests.bot.telegram.answers import ApiError, Json
from tests.bot.telegram.messages import Message
from tests.bot.telegram.people import Channel, Group, Person, Press
from tests.bot.telegram.requests import Call
from tests.bot.telegram.server import TOKEN, Telegram, running_telegram

__all__ = [
    "TOKEN",
    "ApiError",
    "Call",
    "Channel",
    "Group",
    "Json",
    "Message",
    "Person",
    "Press",
    "Telegram",
    "running_telegram",
]
