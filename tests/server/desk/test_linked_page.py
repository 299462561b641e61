"""The part of the account page that links a Telegram account to the team's bot."""

from __future__ import annotations

import re

import pytest

from tests.server.desk.conftest import PASSWORD, Office

pytestmark = pytest.mark.anyio


async def test_a_code_of_the_page_links_and_the_page_ends_the_link(office: Office) -> None:
    person = office.senders["viewer"]
    proof = {"password": PASSWORD}
    page = await (await office.client.post("/account/linked", headers=person, data=proof)).text()
    code = re.search(r"/link ((?:[2-9A-HJ-NP-Z]{4}-){2}[2-9A-HJ-NP-Z]{4})", page)
    assert code is not None
    fields = {"code": code[1], "account": "of the page", "bot": "@the_desk_bot"}
    bot = office.senders["desk:bot"]
    answer = await office.client.post("/v1/teams/home/linked", headers=bot, json=fields)
    assert answer.status == 201 and (await answer.json())["name"] == "viewer of home"
    page = await (await office.client.get("/account", headers=person)).text()
    assert code[1] not in page and "@the_desk_bot" in page
    links = await office.desk.linked.of_person(office.people["viewer"])
    for sender, status in (("checker", 404), ("viewer", 303)):
        answer = await office.client.post(
            "/account/linked/end",
            headers=office.senders[sender],
            data={"link": str(links[-1].id)},
            allow_redirects=False,
        )
        assert answer.status == status
    assert len(await office.desk.linked.of_person(office.people["viewer"])) == len(links) - 1
