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
from server.web.rendering import Offers, Pages, View
from tests.server.server_process import Service, blank, client_of
from unmask.findings import Evidence, Kind, Says, Weight, Where
from unmask.permissions import Scope
from unmask.report import Check, Door, Face, Image, Model, Report, State, Verdict
from unmask.wording.evidence import with_evidence

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
    text = pages.card(View("en"), a_check(report), Offers(may_remove=True)).text or ""
    assert ("by chance" in text) == (note is not None)
    assert note is None or note in text
    other = report.model_copy(update={"model": Model(name="x", version="1", sha256="0" * 64)})
    assert "by chance" not in (
        pages.card(View("en"), a_check(other), Offers(may_remove=True)).text or ""
    )


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


MARK = Evidence(
    kind=Kind.MARKS,
    code="mark_generated",
    weight=Weight.HINT,
    says=Says.GENERATED,
    where=Where(field="XMP-photoshop:Credit", box=(3, 4, 5, 6)),
    parameters={"maker": "Google <b>"},
)


@pytest.mark.parametrize("may_read", [True, False])
async def test_a_card_shows_what_the_file_tells(service: Service, may_read: bool) -> None:
    pages = Pages(service.settings(), public_model(service.settings()))
    clean = a_report(Model(name="x", version="1", sha256="0" * 64), None)
    clean = clean.model_copy(update={"verdict": Verdict.REAL})
    told = with_evidence(clean, [MARK])
    text = pages.card(View("en"), a_check(told), Offers(may_read_metadata=may_read)).text or ""
    assert 'class="card v-unsure' in text and "Made by AI, says the file</h2>" in text
    assert "was made by Google &lt;b&gt;" in text and "<b>" not in text
    assert "Does not show: Who wrote them" in text
    assert 'class="frame mark" x="3" y="4" width="5" height="6"' in text
    assert ("/metadata" in text) == may_read
    nothing = pages.card(View("en"), a_check(clean), Offers()).text or ""
    assert "That means nothing" in nothing
