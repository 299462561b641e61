"""What the file tells, on the page of a case: it outlives the check that it was copied from."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from tests.server.api.test_evidence import SECRETS, marked
from tests.server.desk.conftest import Headers, Office
from unmask.permissions import Scope

pytestmark = pytest.mark.anyio


async def sent_case(office: Office, portrait: Any) -> tuple[str, int]:
    """The path of the page of a case whose check is gone, and its picture's id."""
    admin = await office.desk.members.actor_of(office.people["admin"], "home")
    scopes = [Scope.CHECK, Scope.DELETE, Scope.DESK_SEND]
    key, _ = await office.desk.keys.create(admin, "a sender", scopes)
    sender: Headers = {"Authorization": f"Bearer {key}"}
    answer = await office.client.post("/v1/checks?wait=60", data=marked(portrait), headers=sender)
    check = (await answer.json())["id"]
    body = {"check": check, "wait": 20}
    sent = await office.client.post("/v1/teams/home/cases", json=body, headers=sender)
    number = (await sent.json())["case"]
    gone = await office.client.delete(f"/v1/checks/{check}", headers=sender)
    assert gone.status == 204
    detail = await office.desk.reading.detail(admin, number)
    return f"/t/home/{number}", detail.pictures[0].id


async def test_a_case_shows_what_the_file_tells(office: Office, portrait: Any) -> None:
    path, picture = await sent_case(office, portrait)
    viewer, checker = office.senders["viewer"], office.senders["checker"]
    page = await (await office.client.get(path, headers=viewer)).text()
    for words in ("was made by Google", "The metadata hold the place", "Traces of saving"):
        assert words in page
    assert not [secret for secret in SECRETS if secret in page]
    assert f"{path}/pictures/{picture}/metadata"[1:] not in page  # a viewer may not read them
    assert (
        f"{path}/pictures/{picture}/metadata"[1:]
        in await (await office.client.get(path, headers=checker)).text()
    )
    metadata = f"{path}/pictures/{picture}/metadata"
    shown = await office.client.get(metadata, headers=checker)
    assert (shown.status, shown.headers["Cache-Control"]) == (200, "no-store")
    text = await shown.text()
    assert "a secret prompt" in text and "kept for" not in text
    assert f'href="{"../" * 5}{path[1:]}"' in text  # the way back
    for sender, status in (("viewer", 403), ("foreign admin", 404), ("desk:read", 403)):
        answer = await office.client.get(metadata, headers=office.senders[sender])
        assert answer.status == status, sender


async def test_a_case_has_the_layers_of_its_picture(office: Office, portrait: Any) -> None:
    path, picture = await sent_case(office, portrait)
    number = path.rpartition("/")[2]
    address = f"/v1/teams/home/cases/{number}/pictures/{picture}/noise.png"
    answer = await office.client.get(address, headers=office.senders["viewer"])
    assert (answer.status, answer.content_type) == (200, "image/png")
    assert Image.open(BytesIO(await answer.read())).size == (512, 512)
    page = await (await office.client.get(path, headers=office.senders["viewer"])).text()
    assert address[1:] in page
    for sender, status in (("nobody", 401), ("foreign viewer", 404), ("desk:send", 403)):
        answer = await office.client.get(address, headers=office.senders[sender])
        assert answer.status == status, sender
    other = address.replace(f"/{picture}/", "/999999/")
    assert (await office.client.get(other, headers=office.senders["viewer"])).status == 404
