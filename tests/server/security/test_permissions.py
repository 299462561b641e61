"""Who may what: the table by itself, and each route as each actor meets it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from server.routes import CHECK_ROUTES, Route
from server.security.identity import Actor, Kind
from server.security.keys import ApiKey, ApiKeys
from server.security.sessions import COOKIE, Sessions
from tests.server.server_process import Service, blank, client_of
from unmask.errors import UnmaskError
from unmask.permissions import (
    CHECK_SCOPES,
    ROLES,
    TEAM_ROLES,
    Permission,
    Role,
    Scope,
    may,
    require,
    scope_of,
    scopes_of,
)

#: What a key of the server, or anybody on a server without keys, may have; the others are for
#: people and keys of a team.
OF_CHECKS = sorted(permission for permission in Permission if Role.OPERATOR in ROLES[permission])
OF_THE_DESK = sorted(set(Permission) - set(OF_CHECKS))
NOT_OPEN = {
    ("POST", "/v1/checks"): Scope.CHECK,
    ("POST", "/v1/checks/bulk"): Scope.CHECK,
    ("POST", "/check"): Scope.CHECK,
    ("GET", "/v1/checks"): Scope.LIST,
    ("GET", "/metrics"): Scope.METRICS,
    ("DELETE", "/v1/checks/{id}"): Scope.DELETE,
    ("GET", "/v1/checks/{id}/metadata"): Scope.CHECK,
    ("GET", "/c/{id}/metadata"): Scope.CHECK,
}


@dataclass(frozen=True)
class Thing:
    team: str | None


def actor(role: Role, *scopes: Scope, team: str | None = None) -> Actor:
    if not scopes and team is None:
        return Actor(Kind.NOBODY, role)
    key = ApiKey(
        prefix="0" * 12,
        sha256="0" * 64,
        name="Ada",
        scopes=frozenset(scopes),
        team=team,
        created=datetime.now(UTC),
    )
    return Actor(Kind.KEY, role, key)


def test_the_table_has_each_permission() -> None:
    assert set(ROLES) == set(Permission)
    assert {scope for permission in Permission for scope in scopes_of(permission)} == set(Scope)


@pytest.mark.parametrize("permission", Permission)
def test_a_visitor_may_only_visit(permission: Permission) -> None:
    assert may(actor(Role.VISITOR), permission) == (permission is Permission.VISIT)
    if permission is not Permission.VISIT:
        with pytest.raises(UnmaskError) as refused:
            require(actor(Role.VISITOR), permission)
        needed = "key_needed" if permission in OF_CHECKS else "sign_in_needed"
        assert refused.value.code == needed


@pytest.mark.parametrize("permission", OF_CHECKS)
def test_an_operator_may_all_with_checks(permission: Permission) -> None:
    assert may(actor(Role.OPERATOR), permission)
    assert may(actor(Role.OPERATOR), permission, Thing("desk"))


@pytest.mark.parametrize("permission", OF_THE_DESK)
def test_the_desk_is_closed_to_who_is_of_no_team(permission: Permission) -> None:
    for role, code in ((Role.OPERATOR, "sign_in_needed"), (Role.MEMBER, "key_scope")):
        with pytest.raises(UnmaskError) as refused:
            require(actor(role, *Scope), permission)
        assert refused.value.code == code


def test_no_key_works_on_a_case_and_each_role_may_what_the_lesser_may() -> None:
    people_only = {Permission.WORK_ON_CASE, Permission.PUBLISH, Permission.DELETE_CASE}
    assert not any(Role.TEAM_KEY in ROLES[permission] for permission in people_only)
    for permission in OF_THE_DESK:
        allowed = [role in ROLES[permission] for role in TEAM_ROLES]
        assert allowed == sorted(allowed), permission  # False comes before True
    with pytest.raises(UnmaskError) as refused:
        require(actor(Role.VIEWER), Permission.WORK_ON_CASE)
    assert refused.value.code == "not_allowed"


@pytest.mark.parametrize("permission", sorted(set(OF_CHECKS) - {Permission.VISIT}))
@pytest.mark.parametrize("scope", Scope)
def test_a_member_may_what_the_key_allows(permission: Permission, scope: Scope) -> None:
    assert may(actor(Role.MEMBER, scope), permission) == (scope is scope_of(permission))


@pytest.mark.parametrize("role", [Role.MEMBER, Role.OPERATOR])
@pytest.mark.parametrize(
    ("own", "of", "allowed"),
    [
        (None, None, True),
        (None, "desk", True),
        ("desk", "desk", True),
        ("desk", None, False),
        ("desk", "other", False),
    ],
)
def test_an_actor_of_a_team_acts_on_its_own(
    role: Role, own: str | None, of: str | None, allowed: bool
) -> None:
    someone = actor(role, *Scope, team=own)
    assert may(someone, Permission.DELETE_CHECK, Thing(of)) == allowed
    assert may(someone, Permission.DELETE_CHECK)
    assert someone.team_for("other") == (own or "other")


@dataclass(frozen=True)
class Sender:
    """An actor as the server meets it: what it sends, and the scopes that should count."""

    name: str
    headers: dict[str, str]
    scopes: frozenset[Scope]
    recognised: bool = True


@pytest.fixture
async def senders(service: Service) -> AsyncIterator[list[Sender]]:
    nothing: frozenset[Scope] = frozenset()
    async with Redis.from_url(service.redis_url) as redis:
        keys, sessions = ApiKeys(redis), Sessions(redis)
        senders = [Sender("nobody", {}, nothing, recognised=False)]
        for scopes in (*([scope] for scope in CHECK_SCOPES), list(CHECK_SCOPES)):
            key, record = await keys.create("a key", scopes, team="walk")
            name, allowed = "+".join(scopes), frozenset(scopes)
            senders.append(Sender(f"key {name}", {"Authorization": f"Bearer {key}"}, allowed))
            cookie = f"{COOKIE}={await sessions.begin(record.prefix)}"
            senders.append(Sender(f"session {name}", {"Cookie": cookie}, allowed))
        session_id = await sessions.begin(record.prefix)
        await sessions.end(session_id)
        senders.append(
            Sender("ended", {"Cookie": f"{COOKIE}={session_id}"}, nothing, recognised=False)
        )
        yield senders


@pytest.mark.anyio
@pytest.mark.parametrize(
    "route", CHECK_ROUTES, ids=lambda route: f"{route.method} {route.canonical}"
)
async def test_each_route_is_open_to_whom_the_table_says(
    service: Service, senders: list[Sender], route: Route
) -> None:
    async with client_of(service, api_keys="required") as client:
        everything = next(sender for sender in senders if sender.scopes == frozenset(CHECK_SCOPES))
        answer = await client.post("/v1/checks", data=blank(), headers=everything.headers)
        check = (await answer.json())["id"]
        path = (
            route.canonical.replace("{id}", check).replace("{n}", "0").replace("{layer}", "noise")
        )
        needed = NOT_OPEN.get((route.method, route.canonical))
        assert scope_of(route.needs) == needed
        for method in (route.method, "HEAD") if route.method == "GET" else (route.method,):
            # The sender that may do everything comes last: it removes the check.
            for sender in sorted(senders, key=lambda sender: len(sender.scopes)):
                if path == "/session/end" and "Cookie" in sender.headers:
                    continue
                answer = await client.request(
                    method, path, headers=sender.headers, allow_redirects=False
                )
                who = (method, path, sender.name)
                if needed is None or needed in sender.scopes:
                    assert answer.status != 403, who
                    # Signing in without a key is refused by the handler itself.
                    assert answer.status != 401 or path == "/session", who
                elif sender.recognised:
                    assert answer.status == 403, who
                else:
                    assert answer.status == 401, who
                    assert answer.headers["WWW-Authenticate"].startswith("Bearer"), who
