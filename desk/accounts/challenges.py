"""What a browser was asked, kept until it answers: once, and for a few minutes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from desk.accounts.secrets import new_token, token_hash
from desk.changes import Changes
from desk.models import Challenge
from unmask.errors import BEGIN_AGAIN, UnmaskError

LIFETIME = timedelta(minutes=10)


class Challenges:
    """Makes and takes back challenges."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def make(
        self, purpose: str, data: Mapping[str, Any], person_id: int | None = None
    ) -> str:
        """The token of a new challenge, for the browser to send back."""
        token = new_token()
        now = self._changes.clock()
        async with self._changes.database.writing() as session:
            await session.execute(sa.delete(Challenge).where(Challenge.expires <= now))
            session.add(
                Challenge(
                    token_sha256=token_hash(token),
                    purpose=purpose,
                    person_id=person_id,
                    data=dict(data),
                    expires=now + LIFETIME,
                )
            )
        return token

    async def take(self, purpose: str, token: str, person_id: int | None = None) -> dict[str, Any]:
        """The data of a challenge, which cannot be taken again; raises ``link_invalid``."""
        async with self._changes.database.writing() as session:
            rows = await session.execute(
                sa.delete(Challenge)
                .where(
                    Challenge.token_sha256 == (token_hash(token) or ""),
                    Challenge.purpose == purpose,
                    Challenge.expires > self._changes.clock(),
                    Challenge.person_id.is_(None)
                    if person_id is None
                    else Challenge.person_id == person_id,
                )
                .returning(Challenge.data)
            )
            data = rows.scalar_one_or_none()
        if data is None:
            message = "This took too long, or was sent twice. Please begin again."
            raise UnmaskError("link_invalid", message, reason=BEGIN_AGAIN)
        found: dict[str, Any] = data
        return found
