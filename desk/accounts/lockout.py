"""Delays after failed sign-ins, for the login and for the address: never a lock for good, which
would let anybody keep somebody out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from desk.accounts.secrets import keyed_hash
from desk.changes import Clock
from desk.database import Database, insert_missing
from desk.models import LoginFailure
from unmask.errors import UnmaskError

#: Tries without a delay. Many people may share an address.
FREE_OF_LOGIN, FREE_OF_ADDRESS = 5, 25
FIRST_DELAY, LONGEST_DELAY = timedelta(seconds=10), timedelta(minutes=15)
#: Failures older than this are forgotten.
FORGOTTEN = timedelta(hours=12)


@dataclass(frozen=True)
class Attempt:
    """A try to sign in that was counted as failed until :meth:`Lockout.succeeded`."""

    login_key: str
    address_key: str


class Lockout:
    """Counts tries by keyed hashes, so that no table lists who tried from where."""

    def __init__(self, database: Database, clock: Clock, secret: bytes) -> None:
        self._database = database
        self._clock = clock
        self._secret = secret

    async def begin(self, login: str, address: str) -> Attempt:
        """Count a try before its password is looked at, so that a burst of tries is counted whole.

        Raises ``rate_limited`` (``retry_after``, in seconds) while a delay runs.
        """
        attempt = Attempt(
            keyed_hash(self._secret, "login", login), keyed_hash(self._secret, "address", address)
        )
        limits = {attempt.login_key: FREE_OF_LOGIN, attempt.address_key: FREE_OF_ADDRESS}
        async with self._database.writing() as session:
            rows = [await _locked(session, key, self._clock()) for key in sorted(limits)]
            # read once the rows are locked: a try that waited for them is later than the one before
            now = self._clock()
            _refuse_while_delayed(rows, now)
            for row in rows:
                row.count = 1 if now - row.last > FORGOTTEN else row.count + 1
                row.last, row.until = now, now + _delay(row.count, limits[row.key])
        return attempt

    async def succeeded(self, attempt: Attempt) -> None:
        """Forget the failures of a login; of those of the address only this try."""
        async with self._database.writing() as session:
            await session.execute(
                sa.delete(LoginFailure).where(LoginFailure.key == attempt.login_key)
            )
            await session.execute(
                sa.update(LoginFailure)
                .where(LoginFailure.key == attempt.address_key, LoginFailure.count > 0)
                .values(count=LoginFailure.count - 1)
            )

    async def forget_old(self) -> None:
        """Remove what no longer counts; for the nightly sweep."""
        async with self._database.writing() as session:
            old = LoginFailure.last < self._clock() - FORGOTTEN
            await session.execute(sa.delete(LoginFailure).where(old))


async def _locked(session: AsyncSession, key: str, now: datetime) -> LoginFailure:
    """The row of a key, which no other try changes until this one is counted."""
    await insert_missing(session, LoginFailure, key=key, count=0, last=now, until=now)
    query = sa.select(LoginFailure).where(LoginFailure.key == key).with_for_update()
    return (await session.scalars(query)).one()


def _delay(count: int, free: int) -> timedelta:
    doublings = min(count - free, 20)
    return timedelta() if doublings < 0 else min(FIRST_DELAY * 2**doublings, LONGEST_DELAY)


def _refuse_while_delayed(rows: Iterable[LoginFailure], now: datetime) -> None:
    until = max((row.until for row in rows), default=now)
    if until > now:
        seconds = math.ceil((until - now).total_seconds())
        message = f"Too many tries to sign in. Try again in {seconds} seconds."
        raise UnmaskError("rate_limited", message, retry_after=seconds)
