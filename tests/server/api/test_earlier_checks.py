"""What a team learns of its earlier checks: of the same file, and of copies of the picture."""

from __future__ import annotations

from io import BytesIO
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, make_mocked_request
from PIL import Image

from server.api.responses import with_earlier
from server.context import ACTOR, CHECKS, COPIES
from tests.pictures import encoded
from tests.server.server_process import photo
from unmask.permissions import Role, Scope
from unmask.report import Check

pytestmark = pytest.mark.anyio
Client = TestClient[Any, Any]


async def finished_check(client: Client, data: bytes, **params: str) -> dict[str, Any]:
    """A picture's check once it is done."""
    answer = await client.post("/v1/checks", params={"wait": "60"} | params, data=data)
    assert answer.status == 200, await answer.text()
    check: dict[str, Any] = await answer.json()
    return check


def seen_before(check: dict[str, Any]) -> list[dict[str, Any]]:
    """The notes of a check's report on earlier checks of the same file."""
    return _notes(check, "seen_before")


def copies(check: dict[str, Any]) -> list[dict[str, Any]]:
    """The notes of a check's report on copies among earlier checks."""
    return _notes(check, "copy_seen_before")


def _notes(check: dict[str, Any], code: str) -> list[dict[str, Any]]:
    return [note for note in check["report"]["evidence"] if note["code"] == code]


async def test_a_team_learns_that_it_had_the_same_file_checked_before(
    client: Client, portrait: Any
) -> None:
    data = photo(portrait, quality=71)
    first = await finished_check(client, data, team="one")
    await finished_check(client, data, team="elsewhere")
    await finished_check(client, data)
    assert seen_before(first) == []
    second = await finished_check(client, data, team="one", language="de")
    day = first["created"][:10]
    assert [note["parameters"] for note in seen_before(second)] == [{"times": 1, "first": day}]
    assert seen_before(second)[0]["weight"] == "note"
    again = await (await client.get(f"/v1/checks/{second['id']}")).json()
    assert seen_before(again) == seen_before(second)
    page = await (await client.get(f"/c/{second['id']}")).text()
    assert "The team had the same file checked 1 time before" in page
    early = await (await client.get(f"/v1/checks/{first['id']}")).json()
    assert seen_before(early) == []
    assert (await client.delete(f"/v1/checks/{first['id']}")).status == 204
    assert seen_before(await (await client.get(f"/v1/checks/{second['id']}")).json()) == []


async def test_a_team_learns_that_it_had_a_copy_of_the_picture_checked_before(
    client: Client, portrait: Any
) -> None:
    base = Image.open(BytesIO(photo(portrait, "PNG")))
    small = base.resize((base.width * 2 // 3, base.height * 2 // 3))
    other = base.copy()
    other.paste("black", (200, 200, 300, 300))
    first = await finished_check(client, encoded(base, "JPEG", quality=83), team="one")
    await finished_check(client, encoded(base, "JPEG", quality=84), team="elsewhere")
    await finished_check(client, encoded(base, "JPEG", quality=85))
    assert copies(first) == []
    assert (
        copies(await finished_check(client, encoded(other, "JPEG", quality=83), team="one")) == []
    )
    second = await finished_check(client, encoded(small, "JPEG", quality=60), team="one")
    day = first["created"][:10]
    assert [note["parameters"] for note in copies(second)] == [{"times": 1, "first": day}]
    assert seen_before(second) == []
    third = await finished_check(client, encoded(base, "JPEG", quality=61), team="one")
    assert copies(third)[0]["parameters"]["times"] == 2
    page = await (await client.get(f"/c/{second['id']}")).text()
    assert "The team had a copy of the picture, in another size or encoding, checked 1" in page
    assert (await client.delete(f"/v1/checks/{first['id']}")).status == 204
    assert copies(await (await client.get(f"/v1/checks/{second['id']}")).json()) == []


async def test_a_check_of_no_team_has_no_note_on_earlier_ones(
    client: Client, portrait: Any
) -> None:
    for quality in (72, 72, 73):
        check = await finished_check(client, photo(portrait, quality=quality))
        assert seen_before(check) == copies(check) == []


@pytest.mark.parametrize(
    ("team", "scope", "told"),
    [
        ("one", Scope.LIST, True),
        ("one", Scope.CHECK, False),  # it may not list the team's checks
        ("elsewhere", Scope.LIST, False),
    ],
)
async def test_only_those_who_may_list_a_teams_checks_learn_of_earlier_ones(
    client: Client, portrait: Any, team: str, scope: Scope, told: bool
) -> None:
    check = Check.model_validate(await finished_check(client, photo(portrait), team="one"))
    actor: Any = SimpleNamespace(role=Role.TEAM_KEY, team=team, scopes=frozenset({scope}), via=None)
    queue: Any = SimpleNamespace(earlier=AsyncMock(return_value=(check.created,)))
    finder: Any = SimpleNamespace(before=AsyncMock(return_value=(check.created,)))
    request: Any = make_mocked_request("GET", "/", app=web.Application())
    request.app[CHECKS], request[ACTOR] = queue, actor
    request.app[COPIES] = finder
    shown = await with_earlier(request, check)
    assert bool(seen_before(shown.model_dump(mode="json"))) is told
    assert bool(copies(shown.model_dump(mode="json"))) is told
    assert queue.earlier.called is finder.before.called is told  # nor by the time that it takes
