"""People and chats as Telegram keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from tests.bot.telegram.answers import Json
from tests.bot.telegram.messages import Message


@dataclass
class User:
    """A user; ``blocked`` says that they blocked the bot."""

    id: int
    first_name: str
    username: str = ""
    language: str = ""
    is_bot: bool = False
    blocked: bool = False

    @property
    def json(self) -> Json:
        fields = {
            "id": self.id,
            "is_bot": self.is_bot,
            "first_name": self.first_name,
            "username": self.username,
            "language_code": self.language,
        }
        return {name: value for name, value in fields.items() if value != ""}


@dataclass
class Chat:
    """A private chat, group, supergroup or channel, and all its messages.

    ``status`` holds what each member is ("member", "administrator", "creator", "left"). The ids of
    messages count from 1 in each chat, so that no bot can mistake them for unique.
    """

    id: int
    kind: str
    title: str = ""
    username: str = ""
    status: dict[int, str] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    linked: Chat | None = None
    #: How many of the bot's messages a test has read.
    read_count: int = 0
    _ids: count[int] = field(default_factory=lambda: count(1))

    @property
    def json(self) -> Json:
        fields = {"id": self.id, "type": self.kind, "username": self.username}
        fields |= {"first_name" if self.kind == "private" else "title": self.title}
        return {name: value for name, value in fields.items() if value != ""}

    @property
    def last(self) -> Message | None:
        return next(reversed(self.messages.values()), None)

    def next_id(self) -> int:
        return next(self._ids)

    def has(self, user: User) -> bool:
        return self.status.get(user.id, "left") not in ("left", "kicked")
