"""Who may do what: one table, and the one place where it is consulted."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from server.security.identity import Actor, Role
from server.security.keys import Scope
from unmask.errors import UnmaskError


class Permission(StrEnum):
    """What a route, or one thing behind it, needs."""

    VISIT = "visit"  # pages, the model, and a check whose secret id the caller has
    CREATE_CHECK = "create a check"
    LIST_CHECKS = "list checks"
    DELETE_CHECK = "delete a check"
    READ_METRICS = "read metrics"


#: For each permission the roles that have it, and the scope that the key of such an actor needs
#: (None: no scope). A role that is not named does not have the permission.
ROLES: dict[Permission, dict[Role, Scope | None]] = {
    Permission.VISIT: {Role.VISITOR: None, Role.MEMBER: None, Role.OPERATOR: None},
    Permission.CREATE_CHECK: {Role.MEMBER: Scope.CHECK, Role.OPERATOR: None},
    Permission.LIST_CHECKS: {Role.MEMBER: Scope.LIST, Role.OPERATOR: None},
    Permission.DELETE_CHECK: {Role.MEMBER: Scope.DELETE, Role.OPERATOR: None},
    Permission.READ_METRICS: {Role.MEMBER: Scope.METRICS, Role.OPERATOR: None},
}


class Owned(Protocol):
    """Something that belongs to a team, or to none."""

    @property
    def team(self) -> str | None:
        """The team's name."""


def may(actor: Actor, permission: Permission, thing: Owned | None = None) -> bool:
    """Whether an actor has a permission, for ``thing`` if the caller passes one."""
    return _refusal(actor, permission, thing) is None


def require(actor: Actor, permission: Permission, thing: Owned | None = None) -> None:
    """Raise ``key_needed`` or ``key_scope`` unless :func:`may` says yes."""
    refusal = _refusal(actor, permission, thing)
    if refusal is not None:
        raise refusal


def scope_of(permission: Permission) -> Scope | None:
    """The scope that a key needs for a permission; None where no key is needed."""
    return ROLES[permission][Role.MEMBER]


def _refusal(actor: Actor, permission: Permission, thing: Owned | None) -> UnmaskError | None:
    roles = ROLES[permission]
    if actor.role not in roles:
        return UnmaskError("key_needed", "Send an API key: Authorization: Bearer um_...")
    scope = roles[actor.role]
    if scope is not None and scope not in actor.scopes:
        return UnmaskError("key_scope", f"This key does not allow that: it lacks '{scope}'.")
    # An actor that is bound to a team acts on what belongs to that team.
    if thing is not None and actor.team not in (None, thing.team):
        return UnmaskError("key_scope", "This key belongs to another team.")
    return None
