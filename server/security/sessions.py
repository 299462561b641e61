"""Sessions of people who signed in on the page.

The browser keeps a random id in a cookie; Redis keeps the SHA-256 of that id with the prefix of the
API key that the person signed in with: ``unmask:session:SHA256``. Who reads Redis, or a browser's
cookies, learns no API key. A session ends by itself, when the person signs out, and with its key.
"""

from __future__ import annotations

import hashlib
import re
import secrets

from redis.asyncio import Redis

#: The cookie that holds the id of a session, where the page comes by http.
COOKIE = "unmask_session"
#: The cookie of a member of a team who signed in with a password; the desk keeps these sessions.
PERSON_COOKIE = "unmask_person"
#: The cookie of a browser that signs in at a provider: what it was sent there with.
STATE_COOKIE = "unmask_provider"
#: Seconds that a session lasts: 30 days.
LIFETIME = 30 * 86_400

_ID = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def cookie_name(base: str, *, https: bool, prefix: str) -> str:
    """The name of a cookie. By https it says that no other host, and no page that came by http,
    can have set it (RFC 6265bis); with ``__Host-`` it holds for all paths of its host."""
    if not https:
        return base
    return f"__Secure-{base}" if prefix else f"__Host-{base}"


class Sessions:
    """The sessions in one Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def begin(self, prefix: str) -> str:
        """The id of a new session for the key with this prefix: 256 random bits."""
        session_id = secrets.token_urlsafe(32)
        await self._redis.set(_name(session_id), prefix, ex=LIFETIME)
        return session_id

    async def key_of(self, session_id: str) -> str | None:
        """The prefix of the key that a session was begun with; None if there is no session."""
        if not _ID.fullmatch(session_id):
            return None
        prefix = await self._redis.get(_name(session_id))
        return prefix.decode() if isinstance(prefix, bytes) else prefix

    async def end(self, session_id: str) -> None:
        """Remove a session, if there is one."""
        await self._redis.delete(_name(session_id))


def _name(session_id: str) -> str:
    return f"unmask:session:{hashlib.sha256(session_id.encode()).hexdigest()}"
