"""Filters of the queue that people save, open and remove on its page, without scripts."""

from __future__ import annotations

import re

import pytest

from tests.server.desk.conftest import Office

pytestmark = pytest.mark.anyio


async def _queue(office: Office, who: str, query: str = "") -> str:
    answer = await office.client.get(f"/t/home?{query}", headers=office.senders[who])
    return await answer.text()


async def _post(office: Office, who: str, path: str, **fields: str) -> int:
    answer = await office.client.post(
        f"/t/home/{path}", headers=office.senders[who], data=fields, allow_redirects=False
    )
    if answer.status == 303:
        assert answer.headers["Location"].endswith("/t/home?state=decided&sort=newest")
    return answer.status


async def test_a_filter_is_saved_opened_and_removed(office: Office) -> None:
    query = "state=decided&sort=newest"
    assert await _post(office, "checker", f"filters?{query}", name="My decided ones") == 303
    assert await _post(office, "admin", f"filters?{query}", name="Ours", for_team="on") == 303
    assert await _post(office, "checker", f"filters?{query}", name="No", for_team="on") == 403
    assert await _post(office, "checker", f"filters?{query}") == 400
    page = await _queue(office, "checker")
    assert re.search(r'href="[^"]*\?state=decided&amp;sort=newest">My decided ones<', page)
    assert ">Ours<" in page and "Remove the filter Ours" not in page and ">No<" not in page
    other = await _queue(office, "admin")
    assert ">My decided ones<" not in other and "Remove the filter Ours" in other
    numbers = re.findall(r'name="filter" value="(\d+)"', other)
    assert await _post(office, "checker", f"filters/remove?{query}", filter=numbers[0]) == 403
    assert await _post(office, "admin", f"filters/remove?{query}", filter=numbers[0]) == 303
    own = re.findall(r'name="filter" value="(\d+)"', page)
    assert await _post(office, "admin", f"filters/remove?{query}", filter=own[0]) == 404
    assert await _post(office, "checker", f"filters/remove?{query}", filter=own[0]) == 303
    assert "My decided ones" not in await _queue(office, "checker")
