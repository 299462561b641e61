"""Who acts at a team's desk: a person of the team, a key of the team, or Unmask itself."""

from __future__ import annotations

from dataclasses import dataclass

from unmask.permissions import Role, Scope

#: The actor of what nobody in particular does: claims that lapse, the nightly sweep.
MACHINE = "machine"


@dataclass(frozen=True)
class DeskActor:
    """Who acts, in which team and in which role; an :class:`unmask.permissions.Actor`.

    ``team`` is the team's short name and ``team_id`` its row. A person has ``person_id``, a key its
    ``prefix``; Unmask itself has neither. A person who acts through a linked program has the
    ``scopes`` of its key, and the key's public part as ``via``. ``request`` is the idempotency key
    of what the actor asks for: a change of a case with the same one is made once.
    """

    team_id: int
    team: str
    role: Role
    name: str
    person_id: int | None = None
    prefix: str | None = None
    scopes: frozenset[Scope] = frozenset()
    via: str | None = None
    request: str | None = None

    @property
    def reference(self) -> str:
        """How the history names the actor: never by the person's name, which may be erased."""
        if self.person_id is not None:
            return f"person:{self.person_id}"
        return f"key:{self.prefix}" if self.prefix is not None else MACHINE


def machine_of(team_id: int, team: str) -> DeskActor:
    """Unmask itself as an actor in a team."""
    return DeskActor(team_id, team, Role.ADMIN, MACHINE)
