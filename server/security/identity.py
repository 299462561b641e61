"""Who sends a request: nobody by name, an API key, or a person who signed in with one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from server.security.keys import ApiKey, ApiKeys
from server.security.sessions import Sessions
from unmask.errors import UnmaskError
from unmask.permissions import Role, Scope


class Kind(StrEnum):
    """By what an actor is recognised."""

    NOBODY = "nobody"
    KEY = "key"
    SESSION = "session"


@dataclass(frozen=True)
class Actor:
    """Who sends a request, by which record of a key, and in which role."""

    kind: Kind
    role: Role
    key: ApiKey | None = None

    @property
    def team(self) -> str | None:
        """The one team that the actor's checks belong to; None if they may belong to any."""
        return self.key.team if self.key is not None else None

    @property
    def scopes(self) -> frozenset[Scope]:
        """What the actor's key allows."""
        return self.key.scopes if self.key is not None else frozenset()

    @property
    def prefix(self) -> str | None:
        """The public part of the actor's key, by which logs and limits name it."""
        return self.key.prefix if self.key is not None else None

    def team_for(self, requested: str | None) -> str | None:
        """The team of a new check: the actor's own, else the one that the request names."""
        return self.team if self.team is not None else requested


class Identities:
    """Recognises actors by the headers of their requests."""

    def __init__(self, keys: ApiKeys, sessions: Sessions, *, keys_needed: bool) -> None:
        self._keys = keys
        self._sessions = sessions
        self._keys_needed = keys_needed

    async def identify(self, authorization: str | None, session_id: str | None) -> Actor:
        """The actor of a request; raises ``key_needed`` for a key that is not valid.

        A session that has ended is no error: the page then asks to sign in again.
        """
        if authorization is not None:
            return self._actor(Kind.KEY, await self._by_key(authorization))
        if session_id is not None:
            return self._actor(Kind.SESSION, await self._by_session(session_id))
        return self._actor(Kind.NOBODY, None)

    def _actor(self, kind: Kind, key: ApiKey | None) -> Actor:
        if not self._keys_needed:
            role = Role.OPERATOR
        else:
            role = Role.VISITOR if key is None else Role.MEMBER
        return Actor(Kind.NOBODY if key is None else kind, role, key)

    async def _by_key(self, authorization: str) -> ApiKey:
        scheme, _, token = authorization.partition(" ")
        key = await self._keys.verify(token.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise UnmaskError("key_needed", "This API key is not valid, or no longer.")
        return key

    async def _by_session(self, session_id: str) -> ApiKey | None:
        prefix = await self._sessions.key_of(session_id)
        return await self._keys.find(prefix) if prefix is not None else None
