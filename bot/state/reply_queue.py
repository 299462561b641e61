"""What the bot owes: one order for each answer, kept in Redis until it is given."""

from __future__ import annotations

import logging
import time
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from redis import asyncio as aioredis

from bot.state.redis_keys import Keys
from unmask.queue.clients import reachable

_log = logging.getLogger(__name__)


class Kind(StrEnum):
    """How a picture came."""

    PHOTO = "photo"
    FILE = "file"
    STICKER = "sticker"
    CLIP = "clip"
    URL = "url"


class Note(StrEnum):
    """What is to be said of how a picture was taken from what came."""

    FIRST_FRAME = "first_frame"
    THUMBNAIL = "thumbnail"
    SHRUNK = "shrunk"


class Item(BaseModel):
    """One picture that was sent: where its bytes are, and what became of it.

    ``unique`` is the same for the same file in every chat. ``thumbnail`` is the id of Telegram's
    own small picture of it, for what cannot be decoded. ``check`` is the check that is shown;
    ``owner`` asked for it. ``bits`` is the picture's perceptual hash, as hex. ``earlier`` says when
    the same was examined in this chat before, and ``alike`` that it was not the same file but a
    picture like it; ``warnings`` are then those of the file that was sent, as the report has those
    of the other. ``error`` is the inside of the one error shape.
    """

    kind: Kind
    message: int
    number: int = 0
    file: str = ""
    unique: str = ""
    size: int = 0
    thumbnail: str = ""
    url: str = ""
    notes: list[Note] = Field(default_factory=list)
    check: str = ""
    owner: int = 0
    bits: str = ""
    earlier: datetime | None = None
    alike: bool = False
    warnings: tuple[str, ...] = ()
    error: dict[str, Any] | None = None


class Origin(BaseModel):
    """Where a forwarded message came from; ``name`` is empty where Telegram does not tell."""

    name: str = ""
    date: datetime


class Stage(StrEnum):
    """How far the answer is: after ``SENDING`` it may have left, and nobody can tell."""

    WAITING = "waiting"
    SENDING = "sending"
    SHOWN = "shown"


class Order(BaseModel):
    """One answer that is owed.

    ``id`` is made of the chat and the message that asked; ``reply_to`` is the message that holds
    the picture. ``due`` is when an album counts as complete (Unix time; 0: not an album).
    """

    id: str
    chat: int
    group: bool
    thread: int | None = None
    reply_to: int
    asker: int
    language: str
    items: list[Item]
    origin: Origin | None = None
    skipped: int = 0
    anew: bool = False
    created: float = Field(default_factory=time.time)
    due: float = 0.0
    stage: Stage = Stage.WAITING
    starts: int = 0
    twice: bool = False
    sent: list[int] = Field(default_factory=list)

    def key(self, item: Item) -> str:
        """A name for one picture of this order that a restart does not change."""
        return f"telegram:{self.id}:{item.message}:{item.number}"


class OrderBook:
    """The orders in Redis. Methods raise :class:`UnmaskError` ``queue_unavailable``."""

    def __init__(self, redis: aioredis.Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys

    async def enter(self, order: Order, update_id: int) -> None:
        """Write an order down and, in the same step, the update that it came from off."""
        with reachable():
            async with self._redis.pipeline(transaction=True) as steps:
                steps.hset(self._keys.orders, order.id, order.model_dump_json())
                steps.hdel(self._keys.inbox, str(update_id))
                await steps.execute()

    async def save(self, order: Order) -> None:
        """Write down how far an order is; one that was closed meanwhile stays closed."""
        with reachable():
            await self._redis.eval(
                "if redis.call('HEXISTS', ARGV[1], ARGV[2]) == 1 then "
                "redis.call('HSET', ARGV[1], ARGV[2], ARGV[3]) end",
                0,
                self._keys.orders,
                order.id,
                order.model_dump_json(),
            )

    async def close(self, order_id: str) -> None:
        """The answer was given, or is owed no more."""
        with reachable():
            await self._redis.hdel(self._keys.orders, order_id)

    async def open(self) -> list[Order]:
        """All that is owed, oldest first."""
        with reachable():
            found: Any = await self._redis.hgetall(self._keys.orders)
        orders = []
        for name, text in found.items():
            try:
                orders.append(Order.model_validate_json(text))
            except ValidationError:  # of another version; the start must not fail for it
                _log.exception("an order cannot be read and is dropped")
                await self.close(name)
        return sorted(orders, key=lambda order: order.created)

    async def count(self) -> int:
        """How many are owed."""
        with reachable():
            return int(await self._redis.hlen(self._keys.orders))
