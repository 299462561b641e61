"""Who may do what: one table for the checks and the team desk, and the one place that reads it.

The vocabulary lies in the heart, since the server asks it of each request and the desk of each
change. What an actor is, each of them says itself: both have the attributes of :class:`Actor`.
"""

from __future__ import annotations

from collections.abc import Set
from enum import StrEnum
from typing import Protocol

from unmask.errors import UnmaskError


class Role(StrEnum):
    """What an actor is to this installation; :data:`ROLES` says what each role may."""

    VISITOR = "visitor"  # sent no key, where keys are needed
    MEMBER = "member"  # sent a key of this server, or signed in with one
    OPERATOR = "operator"  # anybody, on a server that needs no keys: only this machine reaches it
    VIEWER = "viewer"  # a person of a team who reads along
    CHECKER = "checker"  # a person of a team who decides cases
    ADMIN = "admin"  # a person of a team who also manages it
    TEAM_KEY = "team_key"  # a program with a key that belongs to a team


#: The roles that a person has in a team, the least first.
TEAM_ROLES = (Role.VIEWER, Role.CHECKER, Role.ADMIN)


class Scope(StrEnum):
    """What a key allows."""

    CHECK = "check"
    LIST = "list"
    DELETE = "delete"
    METRICS = "metrics"
    DESK_READ = "desk:read"
    DESK_SEND = "desk:send"
    DESK_WRITE = "desk:write"
    DESK_BOT = "desk:bot"  # the team's bot: it acts for people who linked it, and brings the digest


#: The scopes that concern checks and the server. The others concern a team's desk, and only a key
#: that belongs to a team can have them.
CHECK_SCOPES = (Scope.CHECK, Scope.LIST, Scope.DELETE, Scope.METRICS)


class Permission(StrEnum):
    """What a route, or one thing behind it, needs."""

    VISIT = "visit"  # pages, the model, and a check whose secret id the caller has
    CREATE_CHECK = "create a check"
    LIST_CHECKS = "list checks"
    READ_METADATA = "read a picture's metadata"  # places, names and prompts are in it
    DELETE_CHECK = "delete a check"
    READ_METRICS = "read metrics"

    READ_CASES = "read cases"  # also pictures, evidence, statistics
    SEND_CASE = "send a case"
    LOOK_UP = "look up a verdict"  # the team's verdict on a picture that the caller has
    COMMENT = "comment"
    WATCH = "watch cases"  # and one's own notices
    SAVE_FILTER = "save a filter"
    EDIT_CASE = "edit a case"  # tags, title, claim, priority, due date
    WORK_ON_CASE = "work on a case"  # claim, decide, give an opinion, dismiss, join, split
    CHANGE_MANY = "change many cases"
    PUBLISH = "publish a case"  # for checkers within the team's rule
    EXPORT = "export cases"
    EXPORT_SENDERS = "export who sent pictures"
    VERIFY_HISTORY = "verify the history"
    DELETE_CASE = "delete a case"
    MANAGE_TEAM = "manage the team"  # settings, members, keys, webhooks, the team's filters
    LEAVE_TEAM = "leave the team"
    LINK_ACCOUNT = "link a person's account"  # by the one-time code that the person made
    DELIVER_DIGEST = "deliver the digest"


_Needed = dict[Role, tuple[Scope, ...]]
_FREE: tuple[Scope, ...] = ()
_EVERYBODY: _Needed = dict.fromkeys((*TEAM_ROLES, Role.VISITOR, Role.MEMBER, Role.OPERATOR), _FREE)
_PEOPLE: _Needed = dict.fromkeys(TEAM_ROLES, _FREE)
_CHECKERS: _Needed = dict.fromkeys((Role.CHECKER, Role.ADMIN), _FREE)
_ADMINS: _Needed = {Role.ADMIN: _FREE}


def _on_checks(scope: Scope) -> _Needed:
    by_key = {Role.MEMBER: (scope,), Role.TEAM_KEY: (scope,)}
    return {**by_key, Role.OPERATOR: _FREE, **_CHECKERS}


def _by_key(roles: _Needed, *scopes: Scope) -> _Needed:
    return {**roles, Role.TEAM_KEY: scopes}


#: For each permission the roles that have it, and the scopes of which the key of such an actor
#: needs one (none: no key is asked for). A role that is not named does not have the permission.
#: No key ever gives a verdict, so that "the team's verdict" stays a person's.
ROLES: dict[Permission, _Needed] = {
    Permission.VISIT: _by_key(_EVERYBODY),
    Permission.CREATE_CHECK: _on_checks(Scope.CHECK),
    Permission.LIST_CHECKS: _on_checks(Scope.LIST),
    Permission.READ_METADATA: _on_checks(Scope.CHECK),
    Permission.DELETE_CHECK: _on_checks(Scope.DELETE),
    Permission.READ_METRICS: {Role.MEMBER: (Scope.METRICS,), Role.OPERATOR: _FREE},
    Permission.READ_CASES: _by_key(_PEOPLE, Scope.DESK_READ, Scope.DESK_WRITE),
    Permission.SEND_CASE: _by_key(_CHECKERS, Scope.DESK_SEND, Scope.DESK_WRITE),
    Permission.LOOK_UP: _by_key(_PEOPLE, Scope.DESK_READ, Scope.DESK_SEND, Scope.DESK_WRITE),
    Permission.COMMENT: _by_key(_PEOPLE, Scope.DESK_WRITE),
    Permission.WATCH: _PEOPLE,
    Permission.SAVE_FILTER: _CHECKERS,
    Permission.EDIT_CASE: _by_key(_CHECKERS, Scope.DESK_WRITE),
    Permission.WORK_ON_CASE: _CHECKERS,
    Permission.CHANGE_MANY: _CHECKERS,
    Permission.PUBLISH: _CHECKERS,
    Permission.EXPORT: _by_key(_CHECKERS, Scope.DESK_READ),
    Permission.EXPORT_SENDERS: _ADMINS,
    Permission.VERIFY_HISTORY: _by_key(_PEOPLE, Scope.DESK_READ),
    Permission.DELETE_CASE: _ADMINS,
    Permission.MANAGE_TEAM: _ADMINS,
    Permission.LEAVE_TEAM: _PEOPLE,
    Permission.LINK_ACCOUNT: {Role.TEAM_KEY: (Scope.DESK_BOT,)},
    Permission.DELIVER_DIGEST: {Role.TEAM_KEY: (Scope.DESK_BOT,)},
}
#: What people may do through a program that they linked to their account, such as the team's bot,
#: each within the role above; the program's key needs ``desk:bot``. What changes the team, erases,
#: publishes or exports needs the person's own session.
THROUGH_PROGRAM = frozenset(
    {
        Permission.READ_CASES,
        Permission.SEND_CASE,
        Permission.LOOK_UP,
        Permission.WORK_ON_CASE,
    }
)


class Actor(Protocol):
    """Who acts: a request to the server, or a person, a key or a machine at a team's desk."""

    @property
    def role(self) -> Role:
        """What the actor is to this installation."""

    @property
    def scopes(self) -> Set[Scope]:
        """What the actor's key allows; empty for an actor without a key."""

    @property
    def team(self) -> str | None:
        """The one team that the actor is bound to, by its short name; None if there is none."""

    @property
    def via(self) -> str | None:
        """The key, by its public part, of the program through which a person acts; None for a
        person who acts directly, and for other actors."""


class Owned(Protocol):
    """Something that belongs to a team, or to none."""

    @property
    def team(self) -> str | None:
        """The team's name."""


def may(actor: Actor, permission: Permission, thing: Owned | None = None) -> bool:
    """Whether an actor has a permission, for ``thing`` if the caller passes one."""
    return _refusal(actor, permission, thing) is None


def require(actor: Actor, permission: Permission, thing: Owned | None = None) -> None:
    """Raise ``key_needed``, ``key_scope`` or ``not_allowed`` unless :func:`may` says yes."""
    refusal = _refusal(actor, permission, thing)
    if refusal is not None:
        raise refusal


def scopes_of(permission: Permission) -> tuple[Scope, ...]:
    """The scopes of which a key needs one for a permission; empty where no key is needed, and
    where none suffices (:data:`ROLES` tells the two apart)."""
    roles = ROLES[permission]
    return roles.get(Role.MEMBER, roles.get(Role.TEAM_KEY, ()))


def scope_of(permission: Permission) -> Scope | None:
    """The least scope that a key needs for a permission; None where it needs none."""
    return next(iter(scopes_of(permission)), None)


def _refusal(actor: Actor, permission: Permission, thing: Owned | None) -> UnmaskError | None:
    roles = ROLES[permission]
    if actor.role not in roles:
        return _without_role(actor, permission)
    needed = roles[actor.role]
    if actor.via is not None:
        if permission not in THROUGH_PROGRAM:
            message = f"This cannot be done through a program: to {permission}."
            return UnmaskError("not_allowed", message)
        needed = (Scope.DESK_BOT,)
    if needed and not actor.scopes & set(needed):
        named = "' or '".join(needed)
        return UnmaskError("key_scope", f"This key does not allow that: it lacks '{named}'.")
    # An actor that is bound to a team acts on what belongs to that team.
    if thing is not None and actor.team not in (None, thing.team):
        return UnmaskError("key_scope", "This key belongs to another team.")
    return None


def _without_role(actor: Actor, permission: Permission) -> UnmaskError:
    is_desk = Role.OPERATOR not in ROLES[permission]
    if actor.role is Role.VISITOR and not is_desk:
        return UnmaskError("key_needed", "Send an API key: Authorization: Bearer um_...")
    if actor.role in (Role.VISITOR, Role.OPERATOR):
        return UnmaskError("sign_in_needed", "Sign in as a member of the team for this.")
    if actor.role in (Role.MEMBER, Role.TEAM_KEY):
        return UnmaskError("key_scope", f"This key does not allow that: to {permission}.")
    return UnmaskError(
        "not_allowed", f"Your role in this team does not allow that: to {permission}."
    )
