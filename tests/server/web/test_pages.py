"""What the pages say and offer, as the server renders them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from server.model import public_model
from server.security.keys import ApiKeys
from server.security.sessions import COOKIE, Sessions
from server.web.rendering import Pages
from tests.server.server_process import Service, blank, client_of
from unmask.permissions import Scope
from unmask.report import Check, Door, Face, Image, Model, Report, State, Verdict

pytestmark = pytest.mark.anyio
MARKS: Any = ((20, 20), (40, 20), (30, 30), (22, 40), (38, 40))


@pytest.mark.parametrize(
    "scopes, team",
    [
        (None, None),
        ([Scope.CHECK], None),
        ([Scope.DELETE], None),
        ([Scope.CHECK, Scope.DELETE], "mine"),
        ([Scope.CHECK, Scope.DELETE], "theirs"),
    ],
)
async def test_removing_is_offered_where_it_would_be_granted(
    service: Service, scopes: list[Scope] | None, team: str | None
) -> None:
    async with Redis.from_url(service.redis_url) as redis:
        sender, _ = await ApiKeys(redis).create("sender", team="mine")
        signed = {}
        if scopes:
            _, record = await ApiKeys(redis).create("caller", scopes, team=team)
            signed = {"Cookie": f"{COOKIE}={await Sessions(redis).begin(record.prefix)}"}
    by_sender = {"Authorization": f"Bearer {sender}"}
    async with client_of(service, api_keys="required") as client:
        answer = await client.post("/v1/checks?wait=60", data=blank(), headers=by_sender)
        check = (await answer.json())["id"]
        pages = [await client.get(f"/c/{check}{end}", headers=signed) for end in ("", "/card")]
        offered = {"data-remove" in await page.text() for page in pages}
        answer = await client.delete(f"/v1/checks/{check}", headers=signed)
        assert offered == {answer.status == 204}


async def test_where_no_keys_are_needed_everybody_may_remove(service: Service) -> None:
    async with client_of(service) as client:
        answer = await client.post("/v1/checks?wait=60", data=blank())
        for path in ("/", f"/c/{(await answer.json())['id']}/card"):
            assert "data-remove" in await (await client.get(path)).text()


@pytest.mark.parametrize("bound, note", [(0.7, None), (None, None), (0.97, "from 97 % on")])
async def test_a_bound_that_was_raised_for_several_faces_is_told(
    service: Service, bound: float | None, note: str | None
) -> None:
    settings = service.settings()
    model = public_model(settings)
    report = a_report(Model(name="colour", version="0.0.1", sha256=model.sha256), bound)
    pages = Pages(settings, model)
    text = pages.card("en", a_check(report), may_remove=True).text or ""
    assert ("by chance" in text) == (note is not None)
    assert note is None or note in text
    other = report.model_copy(update={"model": Model(name="x", version="1", sha256="0" * 64)})
    assert "by chance" not in (pages.card("en", a_check(other), may_remove=True).text or "")


def a_report(model: Model, bound: float | None) -> Report:
    face = Face(
        box=(10, 10, 40, 40),
        landmarks=MARKS,
        fake_probability=0.9,
        verdict=Verdict.UNSURE,
        tampered_fraction=0.0,
    )
    return Report(
        sha256="0" * 64,
        verdict=Verdict.UNSURE,
        fake_probability=0.9,
        statement="Unsure.",
        image=Image(width=100, height=80, format="JPEG"),
        faces=(face, face),
        model=model,
        threshold=0.5,
        fake_bound=bound,
    )


def a_check(report: Report) -> Check:
    now = datetime.now(UTC)
    return Check(
        id="0" * 32,
        sha256="0" * 64,
        door=Door.WEB,
        state=State.DONE,
        created=now,
        expires=now + timedelta(days=1),
        model_version="0.0.1",
        report=report,
    )


def test_the_page_and_the_extension_have_the_same_colours() -> None:
    root = Path(__file__).parents[3]
    page = root / "server" / "web" / "static" / "tokens.css"
    extension = root / "extension" / "src" / "shared" / "tokens.css"
    assert extension.read_text() == page.read_text(), f"copy {page} to {extension}"
