"""The desk's pages as a browser without scripts gets them."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest

from server.web.desk.team import axis_end
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


def test_an_axis_ends_at_a_number_whose_half_is_whole() -> None:
    expected = {
        0: 2,
        1: 2,
        2: 2,
        3: 4,
        5: 6,
        7: 8,
        9: 10,
        10: 10,
        11: 20,
        41: 60,
        100: 100,
        101: 200,
    }
    assert {most: axis_end(most) for most in expected} == expected
    assert all(axis_end(most) >= most and axis_end(most) % 2 == 0 for most in range(2_000))


async def test_the_chart_of_a_team_has_numbers_and_days(office: Office) -> None:
    await office.case()
    answer = await office.client.get("/t/home/statistics?days=7", headers=office.senders["viewer"])
    text = await answer.text()
    axis = re.search(r'class="axis"[^>]*>(.*)</div>', text)
    assert axis is not None
    top, middle, zero = (int(number) for number in re.findall(r"<span>(\d+)</span>", axis[1]))
    rows = re.findall(r"<tr><th>([-\d]{10})</th><td>(\d+)</td>", text)
    opened = [int(number) for _, number in rows]
    assert (top, middle, zero) == (axis_end(max(opened)), top // 2, 0)
    heights = re.findall(r'class="c-opened"[^>]* height="([^"]*)"', text)
    assert [float(height) * top / 100 for height in heights] == pytest.approx(opened)
    assert re.findall(r"<time>(.*?)</time>", text) == [rows[0][0], rows[-1][0]]
