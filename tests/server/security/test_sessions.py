"""Signing in and out on the page: the browser holds a session's id, and Redis only its hash."""

from __future__ import annotations

import encodings.aliases
import gzip
import hashlib
import http.cookies
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from server.security.keys import ApiKeys
from server.security.sessions import COOKIE, LIFETIME, Sessions
from tests.server.server_process import Service, blank, client_of

pytestmark = pytest.mark.anyio
Client = TestClient[Any, Any]
URLENCODED = "application/x-www-form-urlencoded"


@pytest.fixture
async def redis(service: Service) -> AsyncIterator[Redis]:
    async with Redis.from_url(service.redis_url) as client:
        yield client


async def sign_in(client: Client, key: str, **headers: str) -> Any:
    answer = await client.post(
        "/session", data={"key": key}, headers=headers, allow_redirects=False
    )
    client.session.cookie_jar.clear()  # Each request of these tests names its own cookie.
    return answer


def cookies_of(answer: Any) -> dict[str, http.cookies.Morsel[str]]:
    cookies: http.cookies.SimpleCookie = http.cookies.SimpleCookie()
    for line in answer.headers.getall("Set-Cookie", []):
        cookies.load(line)
    return dict(cookies)


def with_session(session_id: str) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={session_id}"}


async def test_a_person_signs_in_with_a_key(service: Service, redis: Redis) -> None:
    key, _ = await ApiKeys(redis).create("Ada")
    async with client_of(service, public_url="https://unmask.example.org") as client:
        assert "API key" in await (await client.get("/")).text()
        wrong = await client.post("/session", data={"key": "um_x"})
        assert wrong.status == 401 and "not valid" in await wrong.text()
        answer = await sign_in(client, f" {key} ")
        cookie = cookies_of(answer)[f"__Host-{COOKIE}"]
        assert (answer.status, answer.headers["Location"]) == (303, "./")
        assert cookie["path"] == "/"
        assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
        assert cookie["max-age"] == str(LIFETIME) and "domain" in cookie and not cookie["domain"]
        signed = {"Cookie": f"__Host-{COOKIE}={cookie.value}"}
        assert "Choose photos" in await (await client.get("/", headers=signed)).text()
        assert (await client.post("/v1/checks", data=blank(), headers=signed)).status == 202
        # What a page of http, or another host of the domain, could have set.
        other = with_session(cookie.value)
        assert (await client.post("/v1/checks", data=blank(), headers=other)).status == 401
        ended = await client.post("/session/end", headers=signed, allow_redirects=False)
        assert ended.headers["Location"] == "../"
        dropped = cookies_of(ended)[f"__Host-{COOKIE}"]
        assert (dropped["max-age"], dropped["path"], dropped["secure"]) == ("0", "/", True)


async def test_neither_cookie_nor_redis_holds_what_the_other_does(
    service: Service, redis: Redis
) -> None:
    key, record = await ApiKeys(redis).create("Ada")
    async with client_of(service, api_keys="required") as client:
        answer = await sign_in(client, key)
        session_id = cookies_of(answer)[COOKIE].value
        lines = "".join(answer.headers.getall("Set-Cookie"))
        assert key not in lines and record.prefix not in lines
    name = f"unmask:session:{hashlib.sha256(session_id.encode()).hexdigest()}"
    assert await redis.get(name) == record.prefix.encode()
    assert LIFETIME - 60 < await redis.ttl(name) <= LIFETIME
    assert not [name async for name in redis.scan_iter(f"*{session_id}*")]


async def test_signing_out_removes_the_session(service: Service, redis: Redis) -> None:
    key, _ = await ApiKeys(redis).create("Ada")
    async with client_of(service, api_keys="required") as client:
        first, other = [cookies_of(await sign_in(client, key))[COOKIE].value for _ in range(2)]
        assert first != other
        ended = await client.post(
            "/session/end", headers=with_session(first), allow_redirects=False
        )
        assert ended.status == 303 and cookies_of(ended)[COOKIE]["max-age"] == "0"
        for session_id, status in ((first, 401), (other, 202)):
            answer = await client.post("/v1/checks", data=blank(), headers=with_session(session_id))
            assert answer.status == status
        assert await Sessions(redis).key_of(first) is None


async def test_signing_in_again_ends_the_session_before(service: Service, redis: Redis) -> None:
    key, record = await ApiKeys(redis).create("Ada")
    before = await Sessions(redis).begin(record.prefix)
    async with client_of(service, api_keys="required") as client:
        answer = await sign_in(client, key, Cookie=f"{COOKIE}={before}")
        assert cookies_of(answer)[COOKIE].value != before
    assert await Sessions(redis).key_of(before) is None


@pytest.mark.parametrize("why", ["revoked", "expired", "unknown", "no id", "former cookie"])
async def test_a_session_that_is_over_asks_to_sign_in(
    service: Service, redis: Redis, why: str
) -> None:
    keys = ApiKeys(redis)
    key, record = await keys.create("Ada", days=-1 if why == "expired" else None)
    signed = with_session(await Sessions(redis).begin(record.prefix))
    if why == "revoked":
        await keys.revoke(record.prefix)
    elif why == "unknown":
        signed = with_session("x" * 43)
    elif why == "no id":
        signed = with_session("*")
    elif why == "former cookie":  # It held the key itself.
        signed = {"Cookie": f"unmask_key={key}"}
    async with client_of(service, api_keys="required") as client:
        page = await client.get("/", headers=signed)
        assert page.status == 200 and "API key" in await page.text()
        answer = await client.post("/v1/checks", data=blank(), headers=signed)
        assert (answer.status, (await answer.json())["error"]["code"]) == (401, "key_needed")


async def test_browsers_drop_the_cookie_that_held_a_key(service: Service, redis: Redis) -> None:
    key, _ = await ApiKeys(redis).create("Ada")
    async with client_of(service, api_keys="required") as client:
        answers = [
            await sign_in(client, key),
            await client.post("/session/end", allow_redirects=False),
        ]
        for answer in answers:
            assert cookies_of(answer)["unmask_key"]["max-age"] == "0"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("", b"key=\xff\xfe"),
        ("", b"key=%ff%fe"),
        ("", b"a=1&" * 20),
        ("; charset=bogus", b"key=x"),
        ("; charset=utf-16", b"key"),
        ("; charset=base64", b"key=x"),
        ("; charset=undefined", b"key=x"),
    ],
)
async def test_a_form_that_is_no_text_is_refused(client: Client, kind: str, body: bytes) -> None:
    headers = {"Content-Type": f"{URLENCODED}{kind}"}
    answer = await client.post("/session", data=body, headers=headers)
    assert (answer.status, (await answer.json())["error"]["code"]) == (400, "bad_request")


async def test_only_utf_8_is_decoded(client: Client) -> None:
    """Some of Python's decoders take seconds for 65,000 bytes, in which nobody is answered."""
    for name in sorted({*encodings.aliases.aliases.values(), "punycode", "idna"}):
        headers = {"Content-Type": f"{URLENCODED}; charset={name.replace('_', '-')}"}
        answer = await client.post("/session", data=b"b" * 4_000, headers=headers)
        assert answer.status in ({401} if name == "utf_8" else {400}), name


async def test_a_form_is_counted_unpacked(client: Client) -> None:
    headers = {"Content-Type": URLENCODED, "Content-Encoding": "gzip"}
    packed = gzip.compress(b"b" * 65_000)
    answer = await client.post("/session", data=packed, headers=headers)
    assert (answer.status, (await answer.json())["error"]["code"]) == (413, "too_many_bytes")
    answer = await client.post("/session", json={"key": "x"})
    assert answer.status == 415


async def test_nobody_signs_in_while_the_queue_is_away(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise RedisConnectionError("gone")

    monkeypatch.setattr(ApiKeys, "verify", away)
    answer = await client.post("/session", data={"key": "um_x"})
    assert (answer.status, (await answer.json())["error"]["code"]) == (503, "queue_unavailable")
