"""Random tokens, passwords, and hashes keyed with the installation's secret."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from desk.database import Database
from desk.models import Installation
from unmask.errors import UnmaskError

MIN_PASSWORD, MAX_PASSWORD = 10, 200
#: Hashes at one time: each takes 19 MiB, and a flood of sign-ins must not take all memory.
_CONCURRENCY = 2
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def new_token() -> str:
    """256 random bits, as 43 characters for a URL or a cookie."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str | None:
    """What the database keeps of a token; None for text that is no token."""
    return hashlib.sha256(token.encode()).hexdigest() if _TOKEN.fullmatch(token) else None


async def installation_secret(database: Database) -> bytes:
    """The secret of this installation; made when it is first asked for."""
    async with database.writing() as session:
        secret = await session.scalar(sa.select(Installation.secret))
        if secret is None:
            secret = secrets.token_bytes(32)
            session.add(Installation(id=1, secret=secret))
        return bytes(secret)


def keyed_hash(secret: bytes, kind: str, text: str) -> str:
    """A hash that only who knows the secret can compare with a guess; 64 hexadecimal digits."""
    return hmac.new(secret, f"{kind}\0{text}".encode(), hashlib.sha256).hexdigest()


class Passwords:
    """Hashes passwords with argon2id, in threads, few at a time.

    Parameters after OWASP's *Password Storage Cheat Sheet*: 19 MiB, two passes, one lane.
    """

    def __init__(self, memory_kib: int = 19_456, passes: int = 2) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._slots = asyncio.Semaphore(_CONCURRENCY)
        self._dummy: str | None = None

    async def hash(self, password: str) -> str:
        """The hash of a new password; raises ``bad_request`` for one that is too short or long."""
        if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            message = f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters."
            raise UnmaskError("bad_request", message, field="password", least=MIN_PASSWORD)
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether a password fits; without a stored hash it takes as long, and does not."""
        if len(password) > MAX_PASSWORD:
            return False
        async with self._slots:
            if self._dummy is None:
                self._dummy = await asyncio.to_thread(self._hasher.hash, new_token())
            fits = await asyncio.to_thread(self._fits, stored or self._dummy, password)
        return fits and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _fits(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (Argon2Error, InvalidHashError):
            return False
