"""The replies that the bot owes, kept in Redis until Telegram has taken them."""

from __future__ import annotations

import logging
import time
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator
from redis import asyncio as aioredis

from bot.state.redis_keys import Keys
from unmask.queue.clients import reachable
from unmask.warning_codes import CodedWarning

_log = logging.getLogger(__name__)


class Kind(StrEnum):
    """How a picture was sent."""

    PHOTO = "photo"
    FILE = "file"
    STICKER = "sticker"
    CLIP = "clip"
    URL = "url"


class Note(StrEnum):
    """What the caption has to mention about how a picture was obtained or is displayed."""

    FIRST_FRAME = "first_frame"
    THUMBNAIL = "thumbnail"
    SHRUNK = "shrunk"
    STILL = "still"


def _names(new: str, old: str) -> AliasChoices:
    """The name of a field, and the one under which the version before stored it."""
    return AliasChoices(new, old)


class SentPicture(BaseModel):
    """One picture as somebody sent it: where its bytes are.

    ``message`` and ``number`` are its message and its place in that message. ``file`` is Telegram's
    file id; ``unique`` is the same for the same file in every chat. ``thumbnail`` is the id of
    Telegram's own small copy, for a clip that cannot be decoded. ``is_preview`` says that ``file``
    itself is such a copy; ``has_video``, that it is the still of a live photo.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    message: int
    number: int = 0
    file: str = ""
    unique: str = ""
    size: int = 0
    thumbnail: str = ""
    url: str = ""
    is_preview: bool = False
    has_video: bool = False

    @model_validator(mode="before")
    @classmethod
    def _read_earlier_version(cls, values: Any) -> Any:
        """The version before had no ``is_preview`` but a note on the sticker."""
        if isinstance(values, dict) and values.get("kind") == Kind.STICKER and "notes" in values:
            return {**values, "is_preview": Note.THUMBNAIL in values["notes"]}
        return values


class Outcome(BaseModel):
    """What became of one picture.

    ``check`` is the check whose result is shown; ``owner`` is the user who requested it. ``phash``
    is the picture's perceptual hash, as hex. ``earlier`` is when this picture was examined in this
    chat before; ``similar`` says that it was not the same file but a similar picture. ``warnings``
    are then those of the file that was sent, because the report has those of the other file; the
    version before stored them as English sentences.
    ``error`` is the inside of the one error shape.
    """

    notes: list[Note] = Field(default_factory=list)
    check: str = ""
    owner: int = 0
    phash: str = Field(default="", validation_alias=_names("phash", "bits"))
    earlier: datetime | None = None
    similar: bool = Field(default=False, validation_alias=_names("similar", "alike"))
    warnings: tuple[CodedWarning | str, ...] = ()
    error: dict[str, Any] | None = None

    def add_note(self, *notes: Note) -> None:
        """Add notes, each once."""
        self.notes = list(dict.fromkeys([*self.notes, *notes]))


class Item(BaseModel):
    """One picture of a reply: as it was sent, and what became of it."""

    sent: SentPicture
    outcome: Outcome = Field(default_factory=Outcome)

    @model_validator(mode="before")
    @classmethod
    def _read_earlier_version(cls, values: Any) -> Any:
        """The version before stored both parts as one object."""
        if isinstance(values, dict) and "sent" not in values:
            return {"sent": values, "outcome": values}
        return values

    @property
    def notes(self) -> list[Note]:
        """All notes, each once."""
        notes = [Note.THUMBNAIL] if self.sent.is_preview else []
        notes += [Note.STILL] if self.sent.has_video else []
        return list(dict.fromkeys([*notes, *self.outcome.notes]))


class Origin(BaseModel):
    """Where a forwarded message was first posted; ``name`` is empty if Telegram keeps it back."""

    name: str = ""
    date: datetime


class Stage(StrEnum):
    """How far a reply is. From ``SENDING`` on it may have reached the chat, and the bot cannot
    know. ``SHOWN``: an album's pictures are sent, its buttons are not."""

    WAITING = "waiting"
    SENDING = "sending"
    SHOWN = "shown"


class Reply(BaseModel):
    """One reply that the bot owes.

    ``id`` is made of the chat and of the message that requests the reply; ``reply_to`` is the
    message that holds the picture; ``user`` requests it. ``skipped`` counts links beyond the limit.
    ``ignore_history`` demands a new examination. ``complete_at`` is when an album counts as
    complete (Unix time; 0: not an album). ``starts`` counts the processes that took it up.
    ``may_repeat`` says that it may have been sent before. ``message_ids`` are the album's messages.
    """

    id: str
    chat: int
    group: bool
    thread: int | None = None
    reply_to: int
    user: int = Field(validation_alias=_names("user", "asker"))
    language: str
    items: list[Item]
    origin: Origin | None = None
    skipped: int = 0
    ignore_history: bool = Field(default=False, validation_alias=_names("ignore_history", "anew"))
    created: float = Field(default_factory=time.time)
    complete_at: float = Field(default=0.0, validation_alias=_names("complete_at", "due"))
    stage: Stage = Stage.WAITING
    starts: int = 0
    may_repeat: bool = Field(default=False, validation_alias=_names("may_repeat", "twice"))
    message_ids: list[int] = Field(
        default_factory=list, validation_alias=_names("message_ids", "sent")
    )

    def idempotency_key(self, item: Item) -> str:
        """A name for one picture of this reply; it is the same after a restart."""
        return f"telegram:{self.id}:{item.sent.message}:{item.sent.number}"


class ReplyStore:
    """The owed replies in Redis. Methods raise :class:`UnmaskError` ``queue_unavailable``."""

    def __init__(self, redis: aioredis.Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    async def add(self, reply: Reply, update_id: int) -> None:
        """Store a reply and, in the same transaction, remove its update from the inbox."""
        with reachable():
            async with self._redis.pipeline(transaction=True) as steps:
                steps.hset(self._keys.replies, reply.id, reply.model_dump_json())
                steps.hdel(self._keys.inbox, str(update_id))
                await steps.execute()

    async def save(self, reply: Reply) -> None:
        """Store how far a reply is; one that was removed meanwhile stays removed."""
        with reachable():
            await self._redis.eval(
                "if redis.call('HEXISTS', ARGV[1], ARGV[2]) == 1 then "
                "redis.call('HSET', ARGV[1], ARGV[2], ARGV[3]) end",
                0,
                self._keys.replies,
                reply.id,
                reply.model_dump_json(),
            )

    async def remove(self, reply_id: str) -> None:
        """Remove a reply that was sent or is no longer owed."""
        with reachable():
            await self._redis.hdel(self._keys.replies, reply_id)

    async def all(self) -> list[Reply]:
        """All owed replies, oldest first."""
        with reachable():
            stored: Any = await self._redis.hgetall(self._keys.replies)
        replies = []
        for reply_id, text in stored.items():
            try:
                replies.append(Reply.model_validate_json(text))
            except ValidationError:  # of an unknown version; the start must not fail for it
                _log.exception("an owed reply cannot be read and is dropped")
                await self.remove(reply_id)
        return sorted(replies, key=lambda reply: reply.created)

    async def count(self) -> int:
        """How many replies the bot owes."""
        with reachable():
            return int(await self._redis.hlen(self._keys.replies))
