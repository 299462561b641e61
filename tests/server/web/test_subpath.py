"""Behind a proxy that shows the server under a path, everything leads below that path."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urljoin

import aiohttp
import pytest
from aiohttp.test_utils import TestClient
from redis.asyncio import Redis

from server.security.keys import ApiKeys, Scope
from server.security.policy import public_prefix
from tests.server.proxy import proxied
from tests.server.server_process import Service, blank, client_of

pytestmark = pytest.mark.anyio
Client = TestClient[Any, Any]
HTML = {"Accept": "text/html"}


@pytest.fixture(params=["strips", "passes on"])
async def below(request: pytest.FixtureRequest, service: Service) -> AsyncIterator[str]:
    """The address that people see, below a proxy of either kind; keys are needed."""
    settings = {"public_url": "http://desk.example.org/unmask/", "proxies": 1}
    strips = request.param == "strips"
    async with (
        client_of(service, with_desk=True, **settings) as client,
        proxied(str(client.make_url("")).rstrip("/"), strips=strips) as url,
    ):
        yield url


@pytest.fixture
async def session(service: Service) -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as own:
        yield own


@pytest.fixture
async def key(service: Service) -> str:
    async with Redis.from_url(service.redis_url) as redis:
        return (await ApiKeys(redis).create("Ada", scopes=frozenset(Scope)))[0]


def addresses(page: str, base: str) -> set[str]:
    """What a page leads to on its own host: each search engine's address names another."""
    found = re.findall(r'(?:href|src|action)="([^"#]+)"', page)
    return {urljoin(base, address) for address in found if not address.startswith("https://")}


async def test_a_person_works_below_the_path(
    below: str, session: aiohttp.ClientSession, key: str
) -> None:
    """Signs in, sends a picture without script, follows each link of each page, signs out."""
    answer = await session.post(f"{below}/session", data={"key": key}, headers=HTML)
    assert (str(answer.url), answer.status) == (f"{below}/", 200)
    (cookie,) = session.cookie_jar
    assert (cookie["path"], cookie.key) == ("/unmask/", "unmask_session")
    form = aiohttp.FormData()
    form.add_field("file", blank(), filename="a.png")
    answer = await session.post(f"{below}/check", data=form, headers=HTML)
    assert str(answer.url).startswith(f"{below}/c/") and answer.status == 200
    check = str(answer.url).rpartition("/")[2]
    waited = await session.get(f"{below}/v1/checks/{check}/events")
    assert b"event: done" in await waited.read()
    pages = ["", f"c/{check}", f"c/{check}/card", "reference", "nothing/at/all"]
    links: set[str] = set()
    for page in pages:
        answer = await session.get(f"{below}/{page}", headers=HTML)
        links |= addresses(await answer.text(), str(answer.url))
    assert len(links) > 10
    assert all(link.startswith(f"{below}/") for link in links), links
    missing = {link for link in links if "/nothing/" in link}  # that page in other languages
    for link in (
        links - missing - {f"{below}/{post}" for post in ("check", "session", "session/end")}
    ):
        assert (await session.get(link)).status == 200, link
    answer = await session.post(f"{below}/session/end", headers=HTML)
    assert str(answer.url) == f"{below}/"
    assert {cookie.key for cookie in session.cookie_jar} == {"unmask_language"}


async def test_the_api_names_addresses_below_the_path(
    below: str, session: aiohttp.ClientSession, key: str
) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    answer = await session.post(f"{below}/v1/checks?wait=60", data=blank(), headers=headers)
    check = await answer.json()
    assert answer.headers["Location"] == f"/unmask/v1/checks/{check['id']}"
    for address in [answer.headers["Location"], *check["report"]["pictures"].values()]:
        assert (await session.get(urljoin(below, address))).status == 200, address
    events = await (await session.get(f"{below}/v1/checks/{check['id']}/events")).text()
    assert f'"/unmask/v1/checks/{check["id"]}/mask.png"' in events
    document = await (await session.get(f"{below}/openapi.json")).json()
    assert document["servers"] == [{"url": "."}]


async def test_a_proxy_may_tell_the_path_by_a_header(service: Service) -> None:
    for proxies, sent, location in (
        (1, "/desk/unmask", "/desk/unmask/v1/checks/"),
        (1, "//evil.example.org", "/v1/checks/"),
        (0, "/desk", "/v1/checks/"),
    ):
        async with client_of(service, proxies=proxies) as client:
            answer = await client.post(
                "/v1/checks", data=blank(), headers={"X-Forwarded-Prefix": sent}
            )
            assert answer.headers["Location"].startswith(location)


async def test_by_https_below_a_path_the_cookie_is_secure(service: Service, key: str) -> None:
    async with client_of(service, public_url="https://desk.example.org/unmask") as client:
        answer = await client.post("/session", data={"key": key}, allow_redirects=False)
        (line,) = (line for line in answer.headers.getall("Set-Cookie") if "Max-Age=0" not in line)
        assert line.startswith("__Secure-unmask_session=")
        assert "Path=/unmask/" in line and "Secure" in line and "HttpOnly" in line


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        ("", ""),
        ("/", ""),
        ("/unmask", "/unmask"),
        ("/unmask/", "/unmask"),
        ("/a/b-c.d~e_f/", "/a/b-c.d~e_f"),
        ("//evil.example.org", None),
        ("unmask", None),
        ("/..", None),
        ("/a\r\nX: b", None),
        ("/a;b", None),
        ('/"', None),
    ],
)
def test_which_path_goes_before_an_address(path: str, prefix: str | None) -> None:
    assert public_prefix(path) == prefix
