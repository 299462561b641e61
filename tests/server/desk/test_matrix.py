"""Who may take which route of a desk: each route of the table, each actor, own team and foreign."""

from __future__ import annotations

import pytest

from server.desk.actions import ACTIONS
from server.middleware.access import LINK_HEADER
from server.routes import DESK_ROUTES, Route
from tests.server.desk.conftest import Office
from unmask.permissions import ROLES, THROUGH_PROGRAM, Permission, Role, Scope

pytestmark = pytest.mark.anyio

OF_TEAMS = [route for route in DESK_ROUTES if "{team}" in route.canonical]
_VALUES = {
    "team": "home",
    "number": "1",
    "comment": "999999",
    "picture": "999999",
    "file": "original.jpg",
    "check": "0" * 32,
    "item": "999999",
    "prefix": "0" * 12,
    "form": "csv",
    "what": "rules",
    "action": "claim",
}


def path_of(path: str) -> str:
    """The path of a route, with values that the tests chose."""
    for name, value in _VALUES.items():
        path = path.replace("{" + name + "}", value)
    assert "{" not in path
    return path


def is_allowed(sender: str, permission: Permission) -> bool:
    """What the table says of a sender of the tests."""
    roles = ROLES[permission]
    if sender.startswith("mislinked"):
        return False
    if sender.startswith("linked"):
        return Role(sender.removeprefix("linked ")) in roles and permission in THROUGH_PROGRAM
    if sender in ("viewer", "checker", "admin"):
        return Role(sender) in roles
    needed = roles.get(Role.TEAM_KEY)
    return needed is not None and (not needed or Scope(sender) in needed)


@pytest.mark.parametrize("route", OF_TEAMS, ids=lambda route: f"{route.method} {route.canonical}")
async def test_each_route_is_open_to_whom_the_table_says(office: Office, route: Route) -> None:
    path = path_of(route.canonical)
    foreign_number = path.replace("/1", "/424242") if "{number}" in route.canonical else path
    for sender, headers in office.senders.items():
        # A stream of events stays open: its head says enough.
        answer = await office.client.request(
            route.method, path, headers=headers, allow_redirects=False
        )
        answer.close()
        who = (route.method, path, sender, answer.status)
        if sender == "nobody":
            assert answer.status == 401, who
        elif sender.startswith("foreign"):
            assert answer.status == 404, who
            unknown = await office.client.request(
                route.method, foreign_number, headers=headers, allow_redirects=False
            )
            unknown.close()
            assert unknown.status == 404, who
        elif is_allowed(sender, route.needs):
            assert answer.status != 401, who
        else:
            assert answer.status == 403, who


@pytest.mark.parametrize("name", ACTIONS)
async def test_no_key_and_no_viewer_acts_on_a_case(office: Office, name: str) -> None:
    number = await office.case()
    for sender in (
        "viewer",
        "linked viewer",
        "mislinked admin",
        "desk:read",
        "desk:send",
        "desk:write",
        "desk:bot",
    ):
        for path in (f"/v1/teams/home/cases/{number}/{name}", f"/t/home/{number}/{name}"):
            answer = await office.client.post(
                path, headers=office.senders[sender], data={}, allow_redirects=False
            )
            assert answer.status == 403, (sender, path, answer.status)
    detail = await office.desk.reading.detail(
        await office.desk.members.actor_of(office.people["admin"], "home"), number
    )
    assert detail.case.version == 1 and detail.case.state == "new"


async def test_a_page_leads_to_the_sign_in_and_back(office: Office) -> None:
    number = await office.case()
    accept = {"Accept": "text/html"}
    answer = await office.client.get(f"/t/home/{number}", headers=accept, allow_redirects=False)
    assert answer.status == 303
    assert answer.headers["Location"] == f"../../sign-in?next=/t/home/{number}"
    page = await office.client.get(
        f"/t/home/{number}", headers=accept | office.senders["viewer"], allow_redirects=False
    )
    assert page.status == 200 and f"#{number}" in await page.text()


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/\\evil", "", "t/home"]
)
async def test_the_sign_in_leads_nowhere_else(office: Office, path: str) -> None:
    answer = await office.client.get(
        "/sign-in",
        params={"next": path},
        headers=office.senders["admin"],
        allow_redirects=False,
    )
    assert (answer.status, answer.headers["Location"]) == (303, "./desk")


@pytest.mark.parametrize("number", ["abc", "9" * 30, "-1", "1e3"])
async def test_odd_numbers_are_bad_requests(office: Office, number: str) -> None:
    """A number that no database can hold is refused before one is asked."""
    case, admin = await office.case(), office.senders["admin"]
    forms = {
        "/t/home/bulk": {"do": "watch", "all": "on", "expected": number},
        f"/t/home/{case}/edit": {"title": "A title", "version": number},
        f"/t/home/{case}/remove-comment": {"comment": number},
        f"/t/home/{case}/split": {"picture[]": number},
        f"/t/home/{case}/join": {"other": number},
    }
    for path, fields in forms.items():
        answer = await office.client.post(path, data=fields, headers=admin, allow_redirects=False)
        assert answer.status == 400, (path, answer.status)
    for path in (f"cases/{case}/history?before={number}", f"cases?limit={number}"):
        answer = await office.client.get(f"/v1/teams/home/{path}", headers=admin)
        assert answer.status == 400, (path, answer.status)


async def test_the_rows_come_alone_for_a_page_that_is_there(office: Office) -> None:
    case = await office.case()
    answer = await office.client.get("/t/home/rows", headers=office.senders["viewer"])
    text = await answer.text()
    assert f'data-case="{case}"' in text and "<html" not in text and 'class="tabs"' not in text


async def test_the_history_is_verified_when_somebody_asks(office: Office) -> None:
    await office.case()
    for address, is_verified in (("/t/home/settings", False), ("/t/home/settings?verify=1", True)):
        answer = await office.client.get(address, headers=office.senders["admin"])
        assert ("entries hold" in await answer.text()) is is_verified


async def test_what_a_linked_person_does_is_that_persons_own(office: Office) -> None:
    """By the bot's key and the person's token together, and by neither of them alone."""
    number = await office.case()
    path = f"/v1/teams/home/cases/{number}/decide"
    fields = {"verdict": "authentic", "reasoning": "The ears match."}
    token = {LINK_HEADER: office.senders["linked checker"][LINK_HEADER]}
    for headers, status in ((token, 401), (office.senders["desk:bot"], 403)):
        assert (await office.client.post(path, headers=headers, json=fields)).status == status
    by_bot = office.senders["linked checker"]
    assert (await office.client.post(path, headers=by_bot, json=fields)).status == 200
    me = await (await office.client.get("/v1/teams/home/me", headers=by_bot)).json()
    assert (me["name"], me["role"]) == ("checker of home", "checker")
    history = await office.desk.reading.history(
        await office.desk.members.actor_of(office.people["viewer"], "home"), number
    )
    decided = next(entry for entry in history if entry.action == "case.decided")
    assert decided.actor == f"person:{office.people['checker']}"
    assert decided.data["via"].startswith("key:"), "the history tells through which key"


@pytest.mark.parametrize("what", ["publish", "withdraw"])
async def test_a_bot_does_not_publish_for_an_admin(office: Office, what: str) -> None:
    answer = await office.client.post(
        f"/v1/teams/home/cases/{await office.case()}/{what}",
        headers=office.senders["linked admin"],
        json={},
    )
    assert (answer.status, (await answer.json())["error"]["code"]) == (403, "not_allowed")


async def test_nobody_leaves_a_team_through_a_bot(office: Office) -> None:
    for path, fields in (
        (f"/v1/teams/home/members/{office.people['viewer']}", None),
        ("/t/home/settings/leave", {"id": str(office.people["viewer"])}),
    ):
        answer = await office.client.request(
            "POST" if fields else "DELETE",
            path,
            data=fields,
            headers=office.senders["linked viewer"],
            allow_redirects=False,
        )
        assert answer.status == 403, path
