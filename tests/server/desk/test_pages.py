"""The desk's pages as a browser without scripts gets them."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.server.desk.conftest import Office

pytestmark = pytest.mark.anyio


async def test_another_language_keeps_the_filter(office: Office) -> None:
    query = "?state=decided&state=published&q=a%26b&lang=fr"
    answer = await office.client.get(f"/t/home{query}", headers=office.senders["viewer"])
    text = await answer.text()
    links = re.findall(r'<a href="([^"]*)" hreflang="(\w+)"', text)
    assert len(links) == 6
    for href, language in links:
        kept = parse_qsl(urlsplit(unescape(href)).query)
        expected = [("state", "decided"), ("state", "published"), ("q", "a&b")]
        assert kept == [*expected, ("lang", language)]


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"reasoning": "Six fingers."}, ["Six fingers.", "https://archive.example.org/1"]),
        ({"verdict": "generated", "reasoning": ""}, ['value="generated" required data-key="3" c']),
        ({"verdict": "generated", "confidence": "high"}, ['value="high" checked']),
    ],
)
async def test_an_opinion_that_is_refused_is_not_lost(
    office: Office, fields: dict[str, str], kept: list[str]
) -> None:
    case, links = await office.case(), {"evidence_links_lines": "https://archive.example.org/1"}
    answer = await office.client.post(
        f"/t/home/{case}/decide", data=fields | links, headers=office.senders["checker"]
    )
    text = await answer.text()
    assert answer.status == 400
    assert all(part in text for part in kept), text


@pytest.mark.parametrize(
    ("form", "fields", "kept"),
    [
        ("edit", {"title": "A captain", "tag_list": "nasa, space", "due_at": "when?"}, "nasa, "),
        ("edit", {"title": "A captain", "version": "999"}, 'value="A captain"'),
        ("dismiss", {"reason": "spam", "note": "An advertisement", "version": "999"}, "vertisemen"),
        ("comment", {"body": "x" * 5_001}, "xxxx</textarea>"),
    ],
)
async def test_a_form_that_is_refused_is_shown_as_it_was_written(
    office: Office, form: str, fields: dict[str, str], kept: str
) -> None:
    case = await office.case()
    answer = await office.client.post(
        f"/t/home/{case}/{form}", data=fields, headers=office.senders["checker"]
    )
    assert answer.status in (400, 409) and kept in await answer.text()
