"""Who sends a request: nobody by name, an API key, a person who signed in with one, or a member of
a team."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from desk.accounts import SignedIn
from desk.actors import DeskActor
from desk.service import Desk
from server.security.keys import ApiKey, ApiKeys
from server.security.sessions import Sessions
from unmask.errors import UnmaskError
from unmask.permissions import TEAM_ROLES, Role, Scope


class Kind(StrEnum):
    """By what an actor is recognised."""

    NOBODY = "nobody"
    KEY = "key"
    SESSION = "session"  # of a person who signed in with an API key
    PERSON = "person"  # of a member of a team, who signed in with a password


@dataclass(frozen=True)
class Actor:
    """Who sends a request, by which record of a key, and in which role."""

    kind: Kind
    role: Role
    key: ApiKey | None = None
    person: SignedIn | None = None
    team_key: DeskActor | None = None

    @property
    def team(self) -> str | None:
        """The one team that the actor's checks belong to; None if they may belong to any."""
        if self.team_key is not None:
            return self.team_key.team
        if self.role in TEAM_ROLES and self.person is not None:
            return self.person.teams[0].team
        return self.key.team if self.key is not None else None

    @property
    def via(self) -> None:
        """A request is a person's own until it names the person for whom a program acts."""
        return

    @property
    def scopes(self) -> frozenset[Scope]:
        """What the actor's key allows."""
        if self.team_key is not None:
            return self.team_key.scopes
        return self.key.scopes if self.key is not None else frozenset()

    @property
    def prefix(self) -> str | None:
        """The public part of the actor's key, by which logs and limits name it."""
        if self.team_key is not None:
            return self.team_key.prefix
        return self.key.prefix if self.key is not None else None

    def team_for(self, requested: str | None) -> str | None:
        """The team of a new check: the actor's own, else the one that the request names."""
        return self.team if self.team is not None else requested


class Identities:
    """Recognises actors by the headers of their requests."""

    def __init__(
        self, keys: ApiKeys, sessions: Sessions, desk: Desk | None, *, keys_needed: bool
    ) -> None:
        self._keys = keys
        self._sessions = sessions
        self._desk = desk
        self._keys_needed = keys_needed

    async def identify(
        self, authorization: str | None, session_id: str | None, person_token: str | None
    ) -> Actor:
        """The actor of a request; raises ``key_needed`` for a key that is not valid.

        ``session_id`` and ``person_token`` are the two cookies. A session that has ended is no
        error: the page then asks to sign in again.
        """
        if authorization is not None:
            return await self._by_key(authorization)
        person = None
        if self._desk is not None and person_token:
            person = await self._desk.sessions.identify(person_token)
        if person is not None:
            return Actor(Kind.PERSON, self._role_of(person), person=person)
        key = await self._by_session(session_id) if session_id is not None else None
        return self._with_key(Kind.SESSION, key)

    async def in_team(self, actor: Actor, team: str, link: str | None = None) -> DeskActor:
        """The actor of a request at a team's desk.

        With ``link``, the token of a person's link, a team's key acts for that person. Raises
        ``sign_in_needed``, also for a link that is none, or no longer, and ``not_found`` for a team
        that is not the actor's own, as for one that is not there.
        """
        if actor.team_key is not None and actor.team_key.team == team:
            if link is None or self._desk is None:
                return actor.team_key
            return await self._desk.linked.actor_of(actor.team_key, link)
        if actor.team_key is not None or actor.key is not None:
            raise UnmaskError("not_found", "There is no such team.")
        if actor.person is None or self._desk is None:
            raise UnmaskError("sign_in_needed", "Sign in as a member of the team for this.")
        return await self._desk.members.actor_of(actor.person.person_id, team)

    def _with_key(self, kind: Kind, key: ApiKey | None) -> Actor:
        role = Role.VISITOR if key is None else Role.MEMBER
        role = role if self._keys_needed else Role.OPERATOR
        return Actor(Kind.NOBODY if key is None else kind, role, key)

    def _role_of(self, person: SignedIn) -> Role:
        """What a member of teams is to the checks: the member's role in the first of them."""
        if not self._keys_needed:
            return Role.OPERATOR
        return person.teams[0].role if person.teams else Role.VISITOR

    async def _by_key(self, authorization: str) -> Actor:
        scheme, _, token = authorization.partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else ""
        key = await self._keys.verify(token)
        if key is not None:
            return self._with_key(Kind.KEY, key)
        team_key = await self._desk.keys.identify(token) if self._desk is not None else None
        if team_key is None:
            raise UnmaskError("key_needed", "This API key is not valid, or no longer.")
        return Actor(Kind.KEY, Role.TEAM_KEY, team_key=team_key)

    async def _by_session(self, session_id: str) -> ApiKey | None:
        prefix = await self._sessions.key_of(session_id)
        return await self._keys.find(prefix) if prefix is not None else None
