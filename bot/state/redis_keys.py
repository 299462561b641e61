"""The names of what the bot keeps in Redis; all lie under ``unmask:bot:<id of the bot>:``.

``<prefix>``::

    beat                string  the process that works as this bot; expires without signs of life
    seen:<update>       string  an update that was accepted; once dealt with, it is ignored
    inbox               hash    updates that were accepted and not yet dealt with
    orders              hash    answers that are owed, as they stand
    file:<unique id>    string  the check that examined this file of Telegram
    past:<chat>         hash    what was examined in a chat, by check
    ticket:<token>      string  what a button belongs to
    person:<user>       hash    a user's language, and what they were told once
    owned:<user>        zset    a user's checks and tickets, by the time they expire
    limits:<chat>       string  set while a chat has been told to wait
    blocked             set     ids of users and chats that are never answered
    stats               hash    sums
"""

from __future__ import annotations


class Keys:
    """The names for one bot, so that several can share a Redis."""

    def __init__(self, bot_id: int) -> None:
        self._prefix = f"unmask:bot:{bot_id}:"
        self.beat = self._prefix + "beat"
        self.inbox = self._prefix + "inbox"
        self.orders = self._prefix + "orders"
        self.blocked = self._prefix + "blocked"
        self.stats = self._prefix + "stats"

    def of(self, kind: str, name: int | str) -> str:
        """The key of one thing of a kind, such as ``ticket``."""
        return f"{self._prefix}{kind}:{name}"
