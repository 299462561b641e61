"""Another team's things take the same way through the database as things that are not there.

Neither an answer nor its time may tell them apart. The statements are counted instead of the time:
what asks the same questions, and finds nothing, takes as long.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from desk.actors import machine_of
from desk.cases.opening import open_case
from desk.models import Delivery, Picture, Submission, Team
from desk.queue import CaseFilter, Sort
from server.desk.actions import ACTIONS
from server.routes import Route
from tests.server.desk.conftest import Headers, Office
from tests.server.desk.test_matrix import OF_TEAMS, path_of
from unmask.permissions import Scope
from unmask.report import Verdict

pytestmark = pytest.mark.anyio

FOREIGN_CASE, UNKNOWN_CASE = 4_000, 4_001
UNKNOWN = 999_999_999
SHA256 = "a" * 64
#: A body for each route that asks for one before it looks for what its path names.
BODIES: dict[str, dict[str, Any]] = {
    "": {
        "verdict": "authentic",
        "reasoning": "As in the archive.",
        "reason": "spam",
        "other": 1,
        "pictures": [1],
        "body": "Words.",
        "comment": 1,
        "title": "A title",
        "note": "Words.",
    },
    "/reopen": {"reason": "Words."},
    "/withdraw": {"reason": "Words."},
    "/members/{item}": {"role": "viewer"},
    "/webhooks/{item}": {"active": True},
    "/cases/{number}": {"title": "A title"},
    "/comments/{comment}": {"body": "Words."},
}


@contextmanager
def statements() -> Iterator[list[str]]:
    """What requests ask the database while the block runs; other tasks of the desk do not count."""
    seen: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        task = asyncio.current_task()
        if task is not None and "RequestHandler" in getattr(task.get_coro(), "__qualname__", ""):
            seen.append(statement)

    event.listen(sa.engine.Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(sa.engine.Engine, "before_cursor_execute", note)


async def way_of(
    office: Office, method: str, path: str, headers: Headers, body: dict[str, Any] | None
) -> tuple[int, str, list[str]]:
    """The status of an answer, its body, and the statements on the way to it."""
    with statements() as seen:
        answer = await office.client.request(
            method, path, headers=headers, json=body, allow_redirects=False
        )
        text = await answer.text()
    return answer.status, text, seen


@pytest.fixture(scope="module")
async def foreign(office: Office) -> AsyncIterator[dict[str, Any]]:
    """What the team ``away`` has: ids by the part of a path that names them."""
    desk = office.desk
    team = await desk.teams.find("away")
    admin = await desk.members.actor_of(office.people["foreign admin"], "away")
    async with desk.changes.database.writing() as session:
        await session.execute(
            sa.update(Team).where(Team.id == team.id).values(next_number=FOREIGN_CASE)
        )
    async with desk.changes.begin(machine_of(team.id, team.slug)) as change:
        case = await open_case(change, Verdict.FAKE, 0.9)
        assert case.number == FOREIGN_CASE
        picture = Picture(
            team_id=team.id,
            case_id=case.id,
            sha256=SHA256,
            width=8,
            height=8,
            format="PNG",
            size=8,
            store_key="none",
            phash=0,
            **dict.fromkeys(("b0", "b1", "b2", "b3"), 0),
            created=change.now,
        )
        change.session.add(picture)
        await change.session.flush()
        submission = Submission(
            team_id=team.id,
            check_id="f" * 32,
            source={"door": "api"},
            sent_by="key:none",
            created=change.now,
            done_at=change.now,
            error="damaged",
        )
        change.session.add(submission)
    comment = await desk.comments.add(admin, FOREIGN_CASE, "Ours alone.")
    _, webhook = await desk.webhooks.create(admin, "https://hooks.example.org/", ["case.decided"])
    async with desk.changes.database.writing() as session:
        delivery = Delivery(
            team_id=team.id,
            webhook_id=webhook.id,
            event_id="one",
            body="{}",
            created=desk.changes.clock(),
        )
        session.add(delivery)
    _, key = await desk.keys.create(admin, "ours", [Scope.DESK_READ])
    saved = await desk.filters.save(admin, "ours", CaseFilter(), Sort.RANK)
    yield {
        "{number}": FOREIGN_CASE,
        "{comment}": comment.id,
        "{picture}": picture.id,
        "{check}": "f" * 32,
        "{prefix}": key.prefix,
        "members/{item}": admin.person_id,
        "webhooks/{item}": webhook.id,
        "deliveries/{item}": delivery.id,
        "filters/{item}": saved.id,
    }


def name_of(route: Route) -> str:
    return f"{route.method} {route.canonical}"


@pytest.mark.parametrize("route", OF_TEAMS, ids=name_of)
async def test_a_foreign_team_is_as_one_that_is_not_there(office: Office, route: Route) -> None:
    path = path_of(route.canonical)
    nowhere = path.replace("/home", "/nowhere", 1)
    assert nowhere != path
    for sender in ("foreign admin", "foreign desk:read", "desk:read", "admin"):
        there = path.replace("/home", "/away", 1) if not sender.startswith("foreign") else path
        headers = office.senders[sender]
        # The first of a key's requests for a time is noted: it is not counted.
        ways = [
            await way_of(office, route.method, one, headers, {})
            for one in (nowhere, there, nowhere)
        ][1:]
        assert ways[0] == ways[1], sender
        assert ways[0][0] == 404 and ways[0][2]


def body_of(route: Route) -> dict[str, Any] | None:
    """A body with which the route looks for what its path names."""
    if route.method == "GET":
        return None
    named = [name for name in BODIES if name and route.canonical.endswith(name)]
    return BODIES[named[0] if named else ""]


def cases_of(route: Route) -> list[str]:
    """The parts of a route's path that name something of a team."""
    kinds = ("members", "webhooks", "deliveries", "filters")
    items = [f"{kind}/{{item}}" for kind in kinds]
    parts = ("{number}", "{comment}", "{picture}", "{check}", "{prefix}", *items)
    return [part for part in parts if part in route.canonical]


WITH_IDS = [(route, part) for route in OF_TEAMS for part in cases_of(route)]


@pytest.mark.parametrize(
    ("route", "part"),
    WITH_IDS,
    ids=lambda value: value if isinstance(value, str) else name_of(value),
)
async def test_a_foreign_thing_is_as_one_that_is_not_there(
    office: Office, foreign: dict[str, Any], route: Route, part: str
) -> None:
    own = await office.case()
    strange: Any = {"{number}": UNKNOWN_CASE, "{check}": "e" * 32, "{prefix}": "e" * 12}
    for action in ACTIONS if "{action}" in route.canonical else ("",):
        ways = []
        for value in (foreign[part], strange.get(part, UNKNOWN)):
            named = part[: part.index("{")] + str(value)
            path = route.canonical.replace(part, named).replace("{number}", str(own))
            path = path_of(path.replace("{action}", action))
            way = await way_of(office, route.method, path, office.senders["admin"], body_of(route))
            ways.append((way[0], way[1].replace(str(value), "it"), way[2]))
        assert ways[0] == ways[1]
        assert ways[0][0] in (400, 404) and ways[0][2], ways[0]


@pytest.mark.parametrize(
    ("path", "fields", "part"),
    [
        ("cases/OWN/join", '{"other": IT}', "{number}"),
        ("cases/OWN/refuse-suggestion", '{"other": IT}', "{number}"),
        ("cases/OWN/split", '{"pictures": [IT]}', "{picture}"),
        ("bulk", '{"action": {"watch": true}, "numbers": [IT]}', "{number}"),
        ("notices/read", '{"ids": [IT]}', "{number}"),
        ("lookup", '{"sha256": ["IT"]}', "sha256"),
    ],
)
async def test_a_foreign_thing_in_a_body_is_as_one_that_is_not_there(
    office: Office, foreign: dict[str, Any], path: str, fields: str, part: str
) -> None:
    own, ways = await office.case(), []
    values = (SHA256, "b" * 64) if part == "sha256" else (foreign[part], foreign[part] + 7_000)
    for value in values:
        address = f"/v1/teams/home/{path.replace('OWN', str(own))}"
        body = json.loads(fields.replace("IT", str(value)))
        way = await way_of(office, "POST", address, office.senders["admin"], body)
        ways.append((way[0], way[1].replace(str(value), "it"), way[2]))
    assert ways[0] == ways[1]
    assert ways[0][2]
