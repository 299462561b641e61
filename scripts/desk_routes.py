"""Writes docs/desk-api.md: every route of the team desk, from the routes themselves.

Run it from the root of the repository: ``python -m scripts.desk_routes``. A test fails while the
page shows anything else.
"""

from __future__ import annotations

from pathlib import Path

from server.routes import DESK_ROUTES, Route
from unmask.permissions import ROLES, THROUGH_PROGRAM, Role

PAGE = Path(__file__).parents[1] / "docs" / "desk-api.md"
_HEAD = """# The desk's routes

Made by `python -m scripts.desk_routes`. What the desk is for, and how to begin: [desk.md](desk.md).

A person signs in on the page and has a session; a program sends a key of the team, as
`Authorization: Bearer um_...`. The path names the team; another team's is answered with 404, as one
that does not exist. A case has a version: its `ETag`, which a change may send back as `If-Match`.
`Idempotency-Key` (1 to 200 printable characters), with an action on a case or with `next`, lets a
request be sent again: it is carried out once, and what is sent again within 30 days answers the
case as it then stands.
Bodies and answers are JSON; `/openapi.json` has their schemas. A key never gives a verdict.

A team's bot has a key with `desk:bot`. Beside that key it sends `Unmask-Link`, the token of a
person who linked a chat account to it: then it acts for that person, in the person's role, on the
routes that are marked with †. The others need the person's own session.

| Route | For whom | What it does |
|---|---|---|
"""
_PAGES = """
## Pages

| Route | For whom |
|---|---|
"""


def page() -> str:
    """The page as it should be."""
    api = [route for route in DESK_ROUTES if route.operation is not None]
    pages = [route for route in DESK_ROUTES if route.operation is None]
    rows = [
        f"| `{route.method} {route.canonical}` | {_whom(route)} | {route.operation.description} |"
        for route in api
        if route.operation is not None
    ]
    more = [f"| `{route.method} {route.canonical}` | {_whom(route)} |" for route in pages]
    return _HEAD + "\n".join(rows) + "\n" + _PAGES + "\n".join(more) + "\n"


def _whom(route: Route) -> str:
    """The roles, and the scopes of keys, that a route is open to."""
    if "{team}" not in route.canonical:
        return "everybody"
    roles = ROLES[route.needs]
    people = [str(role) for role in (Role.VIEWER, Role.CHECKER, Role.ADMIN) if role in roles]
    scopes = [f"`{scope}`" for scope in roles.get(Role.TEAM_KEY, ())]
    linked = ["†"] if people and route.needs in THROUGH_PROGRAM else []
    return ", ".join([*people, *scopes, *linked])


if __name__ == "__main__":
    PAGE.write_text(page())
