"""Keys of programs: each belongs to a team, has scopes and an end.

They read ``um_PREFIX_SECRET`` as the server's own keys in Redis do, so a caller cannot tell them
apart; the secret has 256 random bits, and the SHA-256 of the whole key is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from desk.actors import DeskActor
from desk.changes import Changes
from desk.models import ApiKey, Team
from desk.text import line
from desk.vocabulary import Action
from unmask.errors import UnmaskError
from unmask.permissions import Permission, Role, Scope, require

#: What a key of a team may be made with: the metrics are the operator's.
SCOPES = tuple(scope for scope in Scope if scope is not Scope.METRICS)
MAX_DAYS = 3_650
_KEY = re.compile(r"um_([0-9a-f]{12})_([A-Za-z0-9_-]{43})", re.ASCII)
_USED_INTERVAL = timedelta(minutes=1)


class KeyRecord(BaseModel):
    """A key without its secret."""

    model_config = ConfigDict(frozen=True)

    prefix: str
    name: str
    scopes: frozenset[Scope]
    created: datetime
    created_by: int | None
    expires: datetime | None
    last_used: datetime | None
    revoked_at: datetime | None


class TeamKeys:
    """The keys of teams."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def create(
        self, actor: DeskActor, name: str, scopes: Iterable[Scope], *, days: float | None = 365
    ) -> tuple[str, KeyRecord]:
        """A new key, shown once, and its record; ``days`` None never expires.

        Raises ``bad_request`` for no scope, one that keys of teams cannot have, or odd days.
        """
        require(actor, Permission.MANAGE_TEAM)
        name, wanted = line(name, "name", needed=True, most=120), sorted(set(scopes))
        if not wanted or set(wanted) - set(SCOPES):
            message = f"A key needs scopes out of {', '.join(SCOPES)}."
            raise UnmaskError("bad_request", message, field="scopes")
        if days is not None and not 0 < days <= MAX_DAYS:
            message = f"A key expires after at most {MAX_DAYS} days."
            raise UnmaskError("bad_request", message, field="days")
        prefix = secrets.token_hex(6)
        key = f"um_{prefix}_{secrets.token_urlsafe(32)}"
        async with self._changes.begin(actor) as change:
            row = ApiKey(
                prefix=prefix,
                sha256=_digest(key),
                team_id=actor.team_id,
                name=name,
                scopes=[str(scope) for scope in wanted],
                created_by=actor.person_id,
                created=change.now,
                expires=change.now + timedelta(days=days) if days is not None else None,
            )
            change.session.add(row)
            data = {"prefix": prefix, "scopes": row.scopes}
            await change.record(Action.KEY_CREATED, data=data)
        return key, _record(row)

    async def list(self, actor: DeskActor) -> list[KeyRecord]:
        """The keys of the actor's team, newest first."""
        require(actor, Permission.MANAGE_TEAM)
        query = sa.select(ApiKey).where(ApiKey.team_id == actor.team_id)
        async with self._changes.database.reading() as session:
            rows = await session.scalars(query.order_by(ApiKey.created.desc()))
            return [_record(row) for row in rows]

    async def revoke(self, actor: DeskActor, prefix: str) -> None:
        """End a key at once; raises ``not_found``."""
        require(actor, Permission.MANAGE_TEAM)
        async with self._changes.begin(actor) as change:
            row = await change.session.get(ApiKey, prefix)
            if row is None or row.team_id != actor.team_id:
                raise UnmaskError("not_found", "There is no such key.")
            if row.revoked_at is None:
                row.revoked_at = change.now
                await change.record(Action.KEY_REVOKED, data={"prefix": prefix})

    async def identify(self, key: str) -> DeskActor | None:
        """The actor that a key stands for; None if it is unknown, wrong, expired or revoked."""
        match = _KEY.fullmatch(key)
        if match is None:
            return None
        query = sa.select(ApiKey, Team).join(Team, Team.id == ApiKey.team_id)
        async with self._changes.database.reading() as session:
            row = (await session.execute(query.where(ApiKey.prefix == match[1]))).first()
        if row is None or not hmac.compare_digest(row[0].sha256, _digest(key)):
            return None
        record, team = row
        now = self._changes.clock()
        if record.revoked_at is not None or (record.expires is not None and record.expires <= now):
            return None
        if record.last_used is None or now - record.last_used >= _USED_INTERVAL:
            await self._touch(record.prefix, now)
        scopes = frozenset(Scope(scope) for scope in record.scopes)
        return DeskActor(
            team.id, team.slug, Role.TEAM_KEY, record.name, prefix=record.prefix, scopes=scopes
        )

    async def _touch(self, prefix: str, now: datetime) -> None:
        async with self._changes.database.writing() as session:
            await session.execute(
                sa.update(ApiKey).where(ApiKey.prefix == prefix).values(last_used=now)
            )


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _record(row: ApiKey) -> KeyRecord:
    return KeyRecord(
        prefix=row.prefix,
        name=row.name,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        created=row.created,
        created_by=row.created_by,
        expires=row.expires,
        last_used=row.last_used,
        revoked_at=row.revoked_at,
    )
