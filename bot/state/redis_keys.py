"""The Redis keys of the bot; all start with ``unmask:bot:<id of the bot>:``.

``<prefix>``::

    beat                string  the process that works as this bot; it expires unless it is renewed
    seen:<update>       string  an update that was accepted; Telegram may deliver it again
    inbox               hash    updates that were accepted and not yet handled
    orders              hash    the replies that the bot owes, with how far each one is
    file:<unique id>    string  the check that holds the bytes of this file of Telegram
    past:<chat>         hash    what was examined in a chat, by check
    ticket:<token>      string  what a button belongs to
    person:<user>       hash    a user's language, and which hints they have had
    owned:<user>        zset    a user's checks, buttons and files, by the time they expire
    link:<user>         string  the token by which the bot acts for a member of the team
    digest              string  the day whose digest is being sent
    limits:<chat>       string  exists while a chat knows that it has to wait
    blocked             set     ids of users and chats that the bot never answers
    stats               hash    sums

A bot that is upgraded finds what the version before wrote, so the stored names stay as they are
even where the code has a better one (``orders``, ``past``, ``ticket``, ``person``).
"""

from __future__ import annotations


class Keys:
    """The keys of one bot, so that several bots can share a Redis."""

    def __init__(self, bot_id: int) -> None:
        self._prefix = f"unmask:bot:{bot_id}:"
        self.leader = self._prefix + "beat"
        self.inbox = self._prefix + "inbox"
        self.replies = self._prefix + "orders"
        self.blocked = self._prefix + "blocked"
        self.stats = self._prefix + "stats"
        self.digest = self._prefix + "digest"

    def accepted_update(self, update_id: int | str) -> str:
        """The key that marks an update as accepted."""
        return f"{self._prefix}seen:{update_id}"

    def file(self, unique_id: str) -> str:
        """The key of the check that holds a Telegram file's bytes."""
        return f"{self._prefix}file:{unique_id}"

    def history(self, chat: int) -> str:
        """The key of a chat's history."""
        return f"{self._prefix}past:{chat}"

    def callback(self, token: str) -> str:
        """The key of what a button belongs to."""
        return f"{self._prefix}ticket:{token}"

    def user(self, user: int) -> str:
        """The key of a user's language and of the hints they have had."""
        return f"{self._prefix}person:{user}"

    def owned(self, user: int) -> str:
        """The key of what belongs to a user."""
        return f"{self._prefix}owned:{user}"

    def link(self, user: int) -> str:
        """The key of a user's link to a member of the team."""
        return f"{self._prefix}link:{user}"

    def linking(self, user: int) -> str:
        """The key of the link that a user's newest code is to make."""
        return f"{self._prefix}linking:{user}"

    def wait_notice(self, chat: int) -> str:
        """The key that marks that a chat knows it has to wait."""
        return f"{self._prefix}limits:{chat}"
