"""An open session alone changes nothing of how a person is recognised."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from desk.accounts import IdentityKind
from desk.accounts.secrets import token_hash
from desk.accounts.sessions import FRESH
from desk.models import Session
from server.security.sessions import PERSON_COOKIE
from tests.server.desk.conftest import PASSWORD, Headers, Office
from unmask.permissions import Role

pytestmark = pytest.mark.anyio


async def _ways(office: Office, person: int) -> list[int]:
    return [one.id for one in await office.desk.identities.list(person)]


async def _tries(
    office: Office, sender: Headers, identity: int, **proof: str
) -> dict[str, tuple[int, str]]:
    """The status and the text of each answer, by what was tried."""
    post, answers = office.client.post, {}
    options: dict[str, Any] = {"headers": sender, "allow_redirects": False}
    for what, path, fields in (
        ("remove", "/account/remove", {"identity": str(identity)}),
        ("link", "/account/linked", {}),
        ("tie", "/login/oidc", {"purpose": "tie"}),
    ):
        answer = await post(path, data=fields | proof, **options)
        answers[what] = (answer.status, await answer.text())
    answer = await post("/account/passkeys/options", json=proof, **options)
    answers["passkey"] = (answer.status, await answer.text())
    return answers


async def _grow_old(office: Office, sender: Headers) -> None:
    """Let the time pass in which a session is fresh."""
    token = token_hash(sender["Cookie"].partition("=")[2])
    earlier = office.desk.changes.clock() - FRESH
    async with office.desk.database.writing() as session:
        is_it = Session.token_sha256 == token
        await session.execute(sa.update(Session).where(is_it).values(created=earlier))


async def test_ways_in_are_changed_with_the_password_alone(office: Office) -> None:
    person, sender = office.people["checker"], office.senders["checker"]
    key = await office.desk.identities.add(
        person, IdentityKind.PASSKEY, "localhost", "of the checker", name="phone"
    )
    for proof in ({}, {"password": "not this one"}):
        answers = await _tries(office, sender, key.id, **proof)
        for what, (status, text) in answers.items():
            assert status == 401, what
            assert "The password is not right." in text, what
            assert "/link " not in text
    assert await _ways(office, person) == [key.id]
    answers = await _tries(office, sender, key.id, password=PASSWORD)
    assert answers["remove"][0] == 303 and await _ways(office, person) == []
    assert "/link " in answers["link"][1]
    # no provider is set, and passkeys have no host here: what comes next is refused
    assert answers["tie"][0] != 401 and answers["passkey"][0] != 401


async def test_without_a_password_the_person_signs_in_again(office: Office) -> None:
    desk = office.desk
    admin = await desk.members.actor_of(office.people["admin"], "home")
    link = await desk.links.invite(admin, Role.VIEWER)
    person = await desk.links.join(link, name="Eve", login=f"eve-{link[:6]}", password=None)
    keys = [
        await desk.identities.add(person, IdentityKind.PASSKEY, "localhost", f"{link}{n}")
        for n in range(2)
    ]
    sender = {"Cookie": f"{PERSON_COOKIE}={await desk.sessions.begin(person)}"}
    page = await (await office.client.get("/account", headers=sender)).text()
    assert "Make a code" in page and "Your password" not in page
    await _grow_old(office, sender)
    page = await (await office.client.get("/account", headers=sender)).text()
    assert "sign-in?again=1" in page and "Make a code" not in page and "account/remove" not in page
    for what, (status, text) in (await _tries(office, sender, keys[0].id)).items():
        assert status == 401 and "Sign in again for this." in text, what
    again = await office.client.get("/sign-in?again=1&next=/account", headers=sender)
    assert 'name="next" value="/account"' in await again.text()
    fresh = {"Cookie": f"{PERSON_COOKIE}={await desk.sessions.begin(person)}"}
    assert (await _tries(office, fresh, keys[0].id))["remove"][0] == 303
    assert await _ways(office, person) == [keys[1].id]


async def test_signing_in_again_ends_the_session_before(office: Office) -> None:
    desk, person = office.desk, office.people["foreign viewer"]
    before = await desk.sessions.begin(person)
    login = (await desk.sessions.identify(before)).login  # type: ignore[union-attr]
    answer = await office.client.post(
        "/sign-in",
        headers={"Cookie": f"{PERSON_COOKIE}={before}"},
        data={"login": login, "password": PASSWORD},
        allow_redirects=False,
    )
    office.client.session.cookie_jar.clear()
    assert answer.status == 303
    assert await desk.sessions.identify(before) is None
    assert await desk.sessions.identify(answer.cookies[PERSON_COOKIE].value) is not None


async def test_an_admins_open_session_lets_nobody_else_in(office: Office) -> None:
    """Neither by an invitation, a new password for the admin, another role, nor a key."""
    admin, viewer = office.people["admin"], office.people["viewer"]
    sender = {"Cookie": f"{PERSON_COOKIE}={await office.desk.sessions.begin(admin)}"}
    api: list[tuple[str, str, dict[str, Any], int]] = [
        ("POST", "links", {"role": "admin"}, 201),
        ("POST", f"members/{admin}/reset", {}, 201),
        ("PATCH", f"members/{viewer}", {"role": "viewer"}, 200),
        ("POST", "keys", {"name": "mine", "scopes": ["desk:read"]}, 201),
    ]
    pages = {
        "invite": {"role": "admin"},
        "reset": {"id": str(admin)},
        "role": {"id": str(viewer), "role": "viewer"},
        "key": {"name": "mine", "scopes[]": "desk:read", "days": "30"},
    }
    for is_fresh in (True, False):
        if not is_fresh:
            await _grow_old(office, sender)
        for method, path, fields, status in api:
            answer = await office.client.request(
                method, f"/v1/teams/home/{path}", headers=sender, json=fields
            )
            assert answer.status == (status if is_fresh else 401), path
        for form, values in pages.items():
            answer = await office.client.post(
                f"/t/home/settings/{form}", headers=sender, data=values, allow_redirects=False
            )
            assert answer.status in ((200, 303) if is_fresh else (401,)), form
    page = await answer.text()
    assert "Sign in again for this." in page
    assert 'href="../../../sign-in?again=1&amp;next=/t/home/settings"' in page
    # what lets nobody in needs no sign-in
    answer = await office.client.get("/t/home/settings", headers=sender)
    assert answer.status == 200
