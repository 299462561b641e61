"""What lies below the application: requests that cannot be parsed, connections, open files."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from redis.asyncio import Redis

from server import protocol
from tests.server.server_process import Service, blank, client_of

pytestmark = pytest.mark.anyio
Client = TestClient[Any, Any]

HOST = b"Host: 127.0.0.1\r\n"
#: Requests that are refused before there is a request.
MALFORMED = {
    "no HTTP": b"secret\r\n\r\n",
    "bytes": b"\x00\x01\x02\r\n\r\n",
    "method": b"GE\x00T / HTTP/1.1\r\n" + HOST + b"\r\n",
    "version": b"GET / HTTP/9.secret\r\n" + HOST + b"\r\n",
    "path": b"GET /\xffsecret\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "header without colon": b"GET / HTTP/1.1\r\n" + HOST + b"secret\r\n\r\n",
    "header name": b"GET / HTTP/1.1\r\n" + HOST + b"sec ret: x\r\n\r\n",
    "control in a header": b"GET / HTTP/1.1\r\n" + HOST + b"X: secret\x00\r\n\r\n",
    "long header": b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"secret" * 20_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + HOST + b"X: secret\r\n" * 500 + b"\r\n",
    "two lengths": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n" * 2 + b"\r\n",
    "length": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: secret\r\n\r\n",
    "length and chunks": b"POST / HTTP/1.1\r\n" + HOST
    + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "transfer encoding": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: secret\r\n\r\n",
}  # fmt: skip


async def raw(client: Client, data: bytes) -> tuple[str, dict[str, str], bytes]:
    """The status line, the headers and the body of the answer to bytes that are sent as they are;
    the server closes the connection, or there is no end to read to."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(data)
    async with asyncio.timeout(60):
        answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    return status, dict(line.split(": ", 1) for line in lines), body


@pytest.mark.parametrize("name", MALFORMED)
async def test_what_cannot_be_parsed_is_answered_as_everything_is(
    client: Client, name: str
) -> None:
    status, headers, body = await raw(client, MALFORMED[name])
    assert status.endswith("400 Bad Request"), status
    error = json.loads(body)["error"]
    assert (error["code"], set(error)) == ("bad_request", {"code", "message", "detail"})
    assert b"secret" not in body
    assert headers["Content-Type"].startswith("application/json")
    assert headers["Server"] == "unmask"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert (await client.get("/healthz")).status == 200


async def test_a_flood_of_malformed_requests_is_one_line_of_log(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (once,) = protocol.LOG.filters
    once._kinds.clear()  # type: ignore[union-attr]
    for _ in range(20):
        await raw(client, MALFORMED["no HTTP"])
    lines = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.getMessage() for record in lines] == ["malformed request"]
    assert "secret" not in caplog.text


async def test_malformed_requests_count(service: Service) -> None:
    async with Redis.from_url(service.redis_url) as redis:
        async for key in redis.scan_iter("unmask:rate*"):
            await redis.delete(key)
    async with client_of(service, requests_per_minute=5) as client:
        for _ in range(5):
            await raw(client, MALFORMED["no HTTP"])
        await asyncio.sleep(0.2)
        assert (await client.get("/v1/model")).status == 429


async def test_a_client_that_leaves_is_no_error(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    for body in (b"", b"x" * 300_000):
        _, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(
            b"POST /v1/checks HTTP/1.1\r\n" + HOST + b"Content-Length: 900000\r\n\r\n" + body
        )
        await writer.drain()
        await asyncio.sleep(0.2)
        writer.transport.abort()
        await asyncio.sleep(0.2)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("path", ["/v1/checks", "/nothing", "/static/home.js", "/static/x.js"])
async def test_an_unknown_expectation_is_answered_in_the_one_shape(
    client: Client, path: str
) -> None:
    answer = await client.post(path, data=b"x", headers={"Expect": "foo", "Connection": "close"})
    assert (await answer.json())["error"]["code"] in {
        "bad_request", "unsupported_body", "not_found", "not_a_picture", "method_not_allowed",
    }  # fmt: skip
    assert answer.headers["Server"] == "unmask"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "name", ["nothing.js", "....//app.py", "..", "%2e%2e/app.py", "a/b.js", ""]
)
async def test_a_missing_static_file_is_not_found(client: Client, name: str) -> None:
    status, headers, body = await raw(
        client, f"GET /static/{name} HTTP/1.1\r\n".encode() + HOST + b"Connection: close\r\n\r\n"
    )
    assert status == "HTTP/1.1 404 Not Found"
    assert json.loads(body)["error"]["code"] == "not_found"
    assert headers["Content-Type"].startswith("application/json")


async def test_a_static_file_is_sent_once(client: Client) -> None:
    answer = await client.get("/static/home.js")
    assert answer.status == 200 and answer.content_type in {
        "text/javascript",
        "application/javascript",
    }
    again = await client.get("/static/home.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304


async def test_slow_heads_and_idle_connections_end(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "IDLE", 0.5)
    async with client_of(service) as client:
        for begun in (b"", b"GET / HT", b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: a"):
            assert (await raw(client, begun))[0] == ""
        status, _, _ = await raw(client, b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        assert status == "HTTP/1.1 200 OK"  # kept alive, and closed after a while


@pytest.mark.parametrize(("proxies", "taken"), [(0, 5), (1, 8)])
async def test_one_address_leaves_connections_for_others(
    service: Service, monkeypatch: pytest.MonkeyPatch, proxies: int, taken: int
) -> None:
    """Behind a proxy all of them are the proxy's."""
    monkeypatch.setattr(protocol, "max_connections", lambda: 10)
    monkeypatch.setattr(protocol, "IDLE", 5.0)
    async with client_of(service, proxies=proxies) as client:
        opened = [await asyncio.open_connection("127.0.0.1", client.port) for _ in range(8)]
        await asyncio.sleep(0.3)
        assert sum(not reader.at_eof() for reader, _ in opened) == taken
        for _, writer in opened:
            writer.close()
        await asyncio.sleep(0.3)
        assert (await client.post("/v1/checks", data=blank())).status == 202


def test_the_limit_of_open_files_is_raised() -> None:
    code = (
        "import resource as r; from server.process import raise_file_limit;"
        "from server.protocol import max_connections;"
        "_, hard = r.getrlimit(r.RLIMIT_NOFILE); r.setrlimit(r.RLIMIT_NOFILE, (256, hard));"
        "assert max_connections() == 128; raise_file_limit();"
        "assert r.getrlimit(r.RLIMIT_NOFILE)[0] > 256; print(max_connections() > 128)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "True", done.stderr


def test_the_memory_of_large_pictures_is_given_back() -> None:
    """Some that grow at one time, twice over: glibc would keep most of it."""
    code = """
from server.process import give_memory_back
give_memory_back()
def held():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
def grow():
    pictures = [bytearray() for _ in range(7)]
    for _ in range(100):
        for picture in pictures:
            picture += bytes(65_536)
    return held()
before = held()
peaks = [grow(), grow()]
print(min(peaks) - before > 40_000_000, held() - before < 10_000_000)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "True True", done.stderr
