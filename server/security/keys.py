"""API keys: printed once when created, and kept only as SHA-256 with what the key may do.

A key reads ``um_PREFIX_SECRET``. The prefix finds the record; the secret has 256 random bits, so a
plain SHA-256 of the whole key guards it as well as a slow hash would. Records live in Redis:
``unmask:key:PREFIX`` is a hash, ``unmask:keys`` the set of prefixes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, field_validator
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from unmask.permissions import Scope
from unmask.queue.keys import checked_name

INDEX = "unmask:keys"
#: ``last_used`` is written at most once in this time, so that most uses of a key cost no write.
LAST_USED_INTERVAL = timedelta(minutes=1)

_KEY = re.compile(r"um_([0-9a-f]{12})_([A-Za-z0-9_-]{43})", re.ASCII)


class ApiKey(BaseModel):
    """The record of a key. ``team`` binds all its checks, and what it lists, to one team."""

    model_config = ConfigDict(frozen=True)

    prefix: str
    sha256: str
    name: str
    scopes: frozenset[Scope]
    team: str | None = None
    created: datetime
    expires: datetime | None = None
    last_used: datetime | None = None

    @field_validator("scopes", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return value.split() if isinstance(value, str) else value

    def expired(self, now: datetime) -> bool:
        """Whether the key's time is over."""
        return self.expires is not None and self.expires <= now

    def as_hash(self) -> dict[Any, Any]:
        """The record as a Redis hash holds it; what is None is left out."""
        fields = self.model_dump(mode="json", exclude_none=True)
        return {**fields, "scopes": " ".join(sorted(self.scopes))}

    @classmethod
    def from_hash(cls, fields: dict[Any, Any]) -> Self:
        """The reverse of :meth:`as_hash`; bytes or text."""
        return cls.model_validate({_text(key): _text(value) for key, value in fields.items()})


class ApiKeys:
    """The keys in one Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def create(
        self,
        name: str,
        scopes: Iterable[Scope] = (Scope.CHECK,),
        team: str | None = None,
        days: float | None = None,
    ) -> tuple[str, ApiKey]:
        """A new key and its record. The key itself is kept nowhere: show it, once.

        Raises :class:`UnmaskError` ``bad_request`` for a name that no team can have.
        """
        prefix = secrets.token_hex(6)
        key = f"um_{prefix}_{secrets.token_urlsafe(32)}"
        now = datetime.now(UTC)
        record = ApiKey(
            prefix=prefix,
            sha256=_digest(key),
            name=name,
            scopes=frozenset(scopes),
            team=checked_name(team) if team is not None else None,
            created=now,
            expires=now + timedelta(days=days) if days is not None else None,
        )
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(_name(prefix), mapping=record.as_hash())
            pipe.sadd(INDEX, prefix)
            await pipe.execute()
        return key, record

    async def verify(self, key: str) -> ApiKey | None:
        """The record of a valid key, or None if it is unknown, wrong or expired."""
        match = _KEY.fullmatch(key)
        record = await self._record(match[1]) if match else None
        if record is None or not hmac.compare_digest(record.sha256, _digest(key)):
            return None
        return await self._in_use(record)

    async def find(self, prefix: str) -> ApiKey | None:
        """The record of the key with this prefix, or None if it was revoked or has expired."""
        record = await self._record(prefix)
        return await self._in_use(record) if record is not None else None

    async def list(self) -> list[ApiKey]:
        """All records, oldest first."""
        prefixes = await self._redis.smembers(INDEX)
        records = [await self._record(_text(prefix)) for prefix in prefixes]
        return sorted((key for key in records if key is not None), key=lambda key: key.created)

    async def revoke(self, prefix: str) -> bool:
        """Forget a key; whether there was one."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(_name(prefix))
            pipe.srem(INDEX, prefix)
            removed, _ = await pipe.execute()
        return bool(removed)

    async def _record(self, prefix: str) -> ApiKey | None:
        fields = await self._redis.hgetall(_name(prefix))
        return ApiKey.from_hash(fields) if fields else None

    async def _in_use(self, record: ApiKey) -> ApiKey | None:
        """``record`` with its use written down, or None if its time is over."""
        now = datetime.now(UTC)
        if record.expired(now):
            return None
        if record.last_used is None or now - record.last_used >= LAST_USED_INTERVAL:
            await self._touch(record.prefix, now)
        return record

    async def _touch(self, prefix: str, now: datetime) -> None:
        # A Redis that takes no writes just now must not keep a caller from reading.
        with suppress(ResponseError):
            # A key that was revoked meanwhile must not come back as half a record.
            if await self._redis.exists(_name(prefix)):
                await self._redis.hset(_name(prefix), "last_used", now.isoformat())


def _name(prefix: str) -> str:
    return f"unmask:key:{prefix}"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
