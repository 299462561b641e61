"""A server with a desk: one team with people of each role, a key of each kind, another team."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from desk.actors import machine_of
from desk.cases.opening import open_case
from desk.service import Desk
from server.context import DESK
from server.middleware.access import LINK_HEADER
from server.security.sessions import PERSON_COOKIE
from tests.server.server_process import Service, client_of
from unmask.permissions import Role, Scope
from unmask.report import Verdict

PASSWORD = "of the tests only"
Headers = dict[str, str]


@dataclass
class Office:
    """A client of the server, its desk, and what each actor sends: people by their role, keys by
    their scope, ``foreign`` ones of another team."""

    client: TestClient[Any, Any]
    desk: Desk
    senders: dict[str, Headers]
    people: dict[str, int]

    async def case(self, probability: float = 0.9) -> int:
        """The number of a new case of the team."""
        team = await self.desk.teams.find("home")
        async with self.desk.changes.begin(machine_of(team.id, team.slug)) as change:
            return (await open_case(change, Verdict.FAKE, probability)).number


async def linked(desk: Desk, person: int, bot: Headers) -> str:
    """The token of a person's link to a bot, made as people make it."""
    actor = await desk.keys.identify(bot["Authorization"].removeprefix("Bearer "))
    assert actor is not None
    return (await desk.linked.link(actor, await desk.linked.make_code(person), "4711")).token


@pytest.fixture(scope="module")
async def office(service: Service, anyio_backend: str) -> AsyncIterator[Office]:
    async with client_of(
        service, with_desk=True, api_keys="required", requests_per_minute=0
    ) as client:
        desk = client.server.app[DESK]  # type: ignore[union-attr]
        senders: dict[str, Headers] = {"nobody": {}}
        people: dict[str, int] = {}
        for slug in ("home", "away"):
            if slug not in [team.slug for team in await desk.teams.list()]:
                await desk.teams.create(slug)
            team = await desk.teams.find(slug)
            machine = machine_of(team.id, slug)
            own = "" if slug == "home" else "foreign "
            for role in (Role.VIEWER, Role.CHECKER, Role.ADMIN):
                token = await desk.links.invite(machine, role)
                login = f"{role}-{slug}-{token[:6]}".lower()
                person = await desk.links.join(
                    token, name=f"{role} of {slug}", login=login, password=PASSWORD
                )
                people[f"{own}{role}"] = person
                session = await desk.sessions.begin(person)
                senders[f"{own}{role}"] = {"Cookie": f"{PERSON_COOKIE}={session}"}
            admin = await desk.members.actor_of(people[f"{own}admin"], slug)
            for scope in (Scope.DESK_READ, Scope.DESK_SEND, Scope.DESK_WRITE, Scope.DESK_BOT):
                key, _ = await desk.keys.create(admin, "a program", [scope])
                senders[f"{own}{scope}"] = {"Authorization": f"Bearer {key}"}
            for role in (Role.VIEWER, Role.CHECKER, Role.ADMIN):
                bot = senders[f"{own}{Scope.DESK_BOT}"]
                token = await linked(desk, people[f"{own}{role}"], bot)
                senders[f"{own}linked {role}"] = bot | {LINK_HEADER: token}
                if slug == "home":  # the token alone gives another key of the team nothing
                    other = senders[Scope.DESK_WRITE]
                    senders[f"mislinked {role}"] = other | {LINK_HEADER: token}
        yield Office(client, desk, senders, people)
