"""Many pictures in one request: each succeeds or fails on its own, and none waits for another."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient

from server.api.body import FETCH_CONCURRENCY
from server.context import CHECKS, FETCHER
from tests.server.api.test_checks import form
from tests.server.server_process import Service, blank, client_of, photo
from unmask.errors import UnmaskError

pytestmark = pytest.mark.anyio
Client = TestClient[Any, Any]


async def test_many_pictures_in_one_request(service: Service, portrait: Any) -> None:
    made = form(photo(portrait))
    made.add_field("file", b"nonsense", filename="b.jpg")
    made.add_field("file", blank(), filename="c.png")
    async with client_of(service, max_bulk=3, max_bytes=10**6) as client:
        answer = await client.post("/v1/checks/bulk?team=bulk", data=made)
        assert answer.status == 202
        first, second, third = (await answer.json())["checks"]
        assert (first["priority"], first["team"]) == ("bulk", "bulk")
        assert second["error"]["code"] == "not_a_picture"
        ended = await (await client.get(f"/v1/checks/{third['id']}/events")).text()
        assert "event: done" in ended

        urls = {"urls": ["http://localhost/", "file:///x"]}
        answer = await client.post("/v1/checks/bulk", json=urls)
        codes = [item["error"]["code"] for item in (await answer.json())["checks"]]
        assert codes == ["url_refused", "bad_url"]

        too_many = await client.post("/v1/checks/bulk", json={"urls": ["http://localhost/"] * 4})
        assert too_many.status == 400
        made = FormData()
        for _ in range(4):
            made.add_field("file", blank(), filename="x.png")
        made_last = (await (await client.post("/v1/checks/bulk", data=made)).json())["checks"][-1]
        assert made_last["error"]["code"] == "bad_request"
        made = form(bytes(1_000_001))
        made.add_field("file", blank(), filename="x.png")
        first, second = (await (await client.post("/v1/checks/bulk", data=made)).json())["checks"]
        assert first["error"]["code"] == "too_many_bytes" and "id" in second
        for empty in ({"urls": []}, {}, {"urls": "x"}):
            assert (await client.post("/v1/checks/bulk", json=empty)).status == 400
        assert (await client.post("/v1/checks/bulk", data=b"x")).status == 415


async def test_one_picture_fails_on_its_own_too(client: Client) -> None:
    for sent, code in (
        ({"data": form(b"nonsense")}, "not_a_picture"),
        ({"json": {"urls": ["http://localhost/"]}}, "url_refused"),
    ):
        answer = await client.post("/v1/checks/bulk", **sent)
        assert answer.status == 202
        (item,) = (await answer.json())["checks"]
        assert item["error"]["code"] == code


async def test_a_form_without_pictures_is_refused_whole(client: Client) -> None:
    empty = FormData({"team": "desk"}, default_to_multipart=True)
    cut = {"Content-Type": "multipart/form-data; boundary=b"}
    for data, headers in ((empty, {}), (b"--b\r\nnonsense", cut)):
        answer = await client.post("/v1/checks/bulk", data=data, headers=headers)
        assert (answer.status, (await answer.json())["error"]["code"]) == (400, "bad_request")


class Site:
    """Takes the fetcher's place: answers the slower the earlier it was asked, and counts."""

    def __init__(self, pause: float) -> None:
        self.pause = pause
        self.count = self.open = self.max_open = 0

    async def fetch(self, url: str, *_: object) -> bytes:
        self.count += 1
        self.open += 1
        self.max_open = max(self.max_open, self.open)
        try:
            await asyncio.sleep(self.pause / self.count)
            if url.endswith("3"):
                raise UnmaskError("url_timeout", "Too slow.", url=url)
            return blank()
        finally:
            self.open -= 1


def at(client: Client, monkeypatch: pytest.MonkeyPatch, pause: float) -> Site:
    site = Site(pause)
    assert client.app is not None
    monkeypatch.setattr(client.app[FETCHER], "fetch", site.fetch)
    return site


async def test_urls_are_fetched_together_and_told_in_order(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = at(client, monkeypatch, 0.2)
    urls = [f"http://example.org/{number}" for number in range(20)]
    answer = await client.post("/v1/checks/bulk", json={"urls": urls})
    items = (await answer.json())["checks"]
    assert [number for number, item in enumerate(items) if "id" not in item] == [3, 13]
    assert items[13]["error"]["detail"]["url"] == urls[13]
    assert (site.count, site.max_open, site.open) == (20, FETCH_CONCURRENCY, 0)


async def test_nothing_is_fetched_for_a_request_that_broke_off(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = at(client, monkeypatch, 60)
    assert client.app is not None

    async def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError

    async def first(url: str, *_: object) -> bytes:
        return blank() if url.endswith("first") else await site.fetch(url)

    monkeypatch.setattr(client.app[FETCHER], "fetch", first)
    monkeypatch.setattr(client.app[CHECKS], "submit", broken)
    urls = ["http://example.org/first", *(f"http://example.org/{n}" for n in range(9))]
    async with asyncio.timeout(60):
        answer = await client.post("/v1/checks/bulk", json={"urls": urls})
    assert answer.status == 500
    assert (site.count, site.open) == (FETCH_CONCURRENCY - 1, 0)
