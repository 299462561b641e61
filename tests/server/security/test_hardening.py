"""What keeps strangers, other pages and nosy logs out."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import subprocess
import sys
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from redis.asyncio import Redis

from server.context import CHECKS
from server.security.keys import ApiKeys, Scope
from tests.server.server_process import Service, blank, client_of
from unmask.logs import JsonLines
from unmask.queue.check_queue import CheckQueue

pytestmark = pytest.mark.anyio
Client = TestClient[Any, Any]
EXTENSION = "chrome-extension://abcdefghijklmnopabcdefghijklmnop"


async def test_every_answer_carries_the_headers(client: Client) -> None:
    answer = await client.post("/v1/checks?wait=60", data=blank())
    check = (await answer.json())["id"]
    paths = ["/", f"/c/{check}", "/reference", "/v1/model", "/healthz", "/nothing", "/openapi.json"]
    paths += [f"/v1/checks/{check}/{name}" for name in ("events", "annotated.jpg", "report.pdf")]
    paths += ["/static/unmask.css", "/static/home.js"]
    for path in paths:
        headers = (await client.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "same-origin", path
        assert headers["Server"] == "unmask", path
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert "unsafe" not in headers["Content-Security-Policy"], path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path
        assert len(headers["X-Request-Id"]) == 32, path
        assert headers["Vary"] == "Origin", path
        assert "Set-Cookie" not in headers, path
        assert "Access-Control-Allow-Origin" not in headers, path


async def test_pages_hold_nothing_inline(client: Client) -> None:
    answer = await client.post("/v1/checks?wait=60", data=blank())
    check = (await answer.json())["id"]
    for path in ("/", f"/c/{check}", f"/c/{check}/card", "/reference"):
        text = await (await client.get(path)).text()
        assert "style=" not in text and "<style" not in text, path
        assert " onclick=" not in text and "javascript:" not in text, path
        for part in text.split("<script")[1:]:
            tag = part.partition(">")[0]
            # Data is not run.
            assert " src=" in tag or 'type="application/json"' in tag, path


@pytest.mark.parametrize("host", ["evil.example.org", "evil.example.org:8080", "127.0.0.1.nip.io"])
async def test_a_name_bound_to_this_machine_is_refused(client: Client, host: str) -> None:
    for path in ("/", "/v1/model", "/healthz"):
        answer = await client.get(path, headers={"Host": host})
        assert (answer.status, (await answer.json())["error"]["code"]) == (403, "origin_refused")


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1", "[::1]:8080"])
async def test_the_names_of_this_machine_are_not(client: Client, host: str) -> None:
    assert (await client.get("/v1/model", headers={"Host": host})).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.org"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Origin": "http://[::1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": EXTENSION},
    ],
)
async def test_other_pages_may_send_nothing(client: Client, headers: dict[str, str]) -> None:
    for method, path in (
        ("POST", "/v1/checks"),
        ("POST", "/v1/checks/bulk"),
        ("POST", "/check"),
        ("DELETE", f"/v1/checks/{'0' * 32}"),
        ("POST", "/session"),
    ):
        answer = await client.request(method, path, data=blank(), headers=headers)
        assert (answer.status, (await answer.json())["error"]["code"]) == (403, "origin_refused")


async def test_our_own_page_may(client: Client) -> None:
    own = {"Origin": f"http://127.0.0.1:{client.port}", "Sec-Fetch-Site": "same-origin"}
    assert (await client.post("/v1/checks", data=blank(), headers=own)).status == 202


async def test_behind_a_proxy_the_public_page_is_our_own(service: Service) -> None:
    async with Redis.from_url(service.redis_url) as redis:
        key, _ = await ApiKeys(redis).create("Ada")
    async with client_of(service, public_url="https://unmask.example.org") as client:
        headers = {"Origin": "https://unmask.example.org", "Authorization": f"Bearer {key}"}
        answer = await client.post("/v1/checks", data=blank(), headers=headers)
        assert answer.status == 202
        assert answer.headers["Strict-Transport-Security"]


async def test_firefox_gives_each_installation_an_origin(service: Service) -> None:
    async with client_of(service, extension_origins="moz-extension://*") as client:
        for origin, status in (
            ("moz-extension://0e5f6d1c-5a0b-4c8e-9d53-d6a1a3f7c1b2", 202),
            ("chrome-extension://0e5f6d1c-5a0b-4c8e-9d53-d6a1a3f7c1b2", 403),
            ("https://moz-extension", 403),
        ):
            answer = await client.post("/v1/checks", data=blank(), headers={"Origin": origin})
            assert answer.status == status, origin


async def test_the_extension_alone_is_shared_with(service: Service) -> None:
    async with client_of(service, extension_origins=f"{EXTENSION} moz-extension://x") as client:
        preflight = {"Origin": EXTENSION, "Access-Control-Request-Method": "POST"}
        answer = await client.options("/v1/checks", headers=preflight)
        assert answer.status == 204
        assert answer.headers.getall("Vary") == ["Origin"]
        assert answer.headers["Access-Control-Allow-Origin"] == EXTENSION
        assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
        answer = await client.post("/v1/checks", data=blank(), headers={"Origin": EXTENSION})
        assert answer.status == 202
        assert answer.headers["Access-Control-Allow-Origin"] == EXTENSION
        assert answer.headers.getall("Vary") == ["Origin"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        check = (await answer.json())["id"]
        events = await client.get(f"/v1/checks/{check}/events", headers={"Origin": EXTENSION})
        assert events.headers["Access-Control-Allow-Origin"] == EXTENSION
        refused = await client.get(f"/v1/checks/{'0' * 32}", headers={"Origin": EXTENSION})
        assert refused.headers["Access-Control-Allow-Origin"] == EXTENSION
        for origin in ("https://evil.example.org", EXTENSION + "x", "chrome-extension://"):
            answer = await client.options("/v1/checks", headers=preflight | {"Origin": origin})
            assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("origin", [EXTENSION, "moz-extension://any"])
async def test_an_extension_reads_what_ours_needs_and_no_more(
    service: Service, origin: str
) -> None:
    """Firefox gives an extension no origin that tells ours from others."""
    async with client_of(service, extension_origins=f"{EXTENSION} moz-extension://*") as client:
        check = (await (await client.post("/v1/checks?wait=60", data=blank())).json())["id"]
        here = f"/v1/checks/{check}"
        shared = ["/readyz", "/v1/key", here, f"{here}/events", f"{here}/heatmap.png"]
        closed = ["/v1/checks?limit=1", "/", "/metrics", "/openapi.json", f"/c/{check}", "/nothing"]
        closed += [f"{here}/{name}" for name in ("original.jpg", "annotated.jpg", "report.pdf")]
        for path in shared + closed:
            answer = await client.get(path, headers={"Origin": origin})
            assert ("Access-Control-Allow-Origin" in answer.headers) == (path in shared), path
        for method, path in (("DELETE", here), ("POST", "/v1/checks/bulk"), ("POST", "/check")):
            answer = await client.request(method, path, data=blank(), headers={"Origin": origin})
            assert (await answer.json())["error"]["code"] == "origin_refused", path
        preflight = {"Origin": origin, "Access-Control-Request-Method": "DELETE"}
        answer = await client.options(here, headers=preflight)
        assert "DELETE" not in answer.headers["Access-Control-Allow-Methods"]
        assert (await client.get(here)).status == 200


async def test_an_extension_takes_the_routes_of_a_team_that_it_needs(service: Service) -> None:
    headers = {"Origin": EXTENSION}
    async with client_of(service, with_desk=True, extension_origins=EXTENSION) as client:
        shared = [("POST", "/v1/teams/desk/cases"), ("POST", "/v1/teams/desk/lookup")]
        for method, path in shared:
            answer = await client.request(method, path, json={}, headers=headers)
            assert answer.headers["Access-Control-Allow-Origin"] == EXTENSION, path
        for path in ("/v1/teams/desk/cases", "/v1/teams/desk/cases/1", "/v1/teams/desk"):
            answer = await client.get(path, headers=headers)
            assert "Access-Control-Allow-Origin" not in answer.headers, path
        answer = await client.post("/v1/teams/desk/cases/1/decide", json={}, headers=headers)
        assert (await answer.json())["error"]["code"] == "origin_refused"


async def test_a_key_learns_what_it_allows(service: Service) -> None:
    async with Redis.from_url(service.redis_url) as redis:
        key, _ = await ApiKeys(redis).create("Ada", scopes=frozenset({Scope.CHECK}), team="desk")
    async with client_of(service, api_keys="required") as client:
        headers = {"Authorization": f"Bearer {key}"}
        told = await (await client.get("/v1/key", headers=headers)).json()
        assert told == {"needed": True, "scopes": ["check"], "team": "desk"}
        assert (await client.get("/v1/key", headers={"Authorization": "Bearer um_x"})).status == 401
        told = await (await client.get("/v1/key")).json()
        assert told == {"needed": True, "scopes": [], "team": None}
    async with client_of(service) as client:
        assert (await (await client.get("/v1/key")).json())["needed"] is False


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/v1/", 404, "not_found"),
        ("GET", "/static/", 404, "not_found"),
        ("GET", "/static/../app.py", 404, "not_found"),
        ("GET", "/static/%2e%2e/app.py", 404, "not_found"),
        ("GET", "/static/..%2fapp.py", 404, "not_found"),
        ("PUT", "/v1/checks", 405, "method_not_allowed"),
        ("POST", "/v1/model", 405, "method_not_allowed"),
        ("PATCH", "/", 405, "method_not_allowed"),
    ],
)
async def test_errors_have_one_shape(
    client: Client, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path)
    body = await answer.json()
    assert (answer.status, body["error"]["code"]) == (status, code)
    assert set(body) == {"error"} and set(body["error"]) == {"code", "message", "detail"}
    if status == 405:
        assert answer.headers["Allow"]


async def test_people_get_a_page_for_an_error(client: Client) -> None:
    answer = await client.get(f"/c/{'0' * 32}", headers={"Accept": "text/html"})
    assert (answer.status, answer.content_type) == (404, "text/html")
    assert "expired" in await answer.text()
    form = {"Accept": "text/html", "Content-Type": "image/png"}
    answer = await client.post("/check", data=b"<script>", headers=form)
    assert (answer.status, answer.content_type) == (415, "text/html")
    assert "<script>" not in (await answer.text()).split("<main", 1)[1]


async def test_what_is_unforeseen_tells_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> Any:
        raise RuntimeError("secret https://user:pass@example.org/a.jpg")

    assert client.app is not None
    monkeypatch.setattr(client.app[CHECKS], "get", broken)
    answer = await client.get(f"/v1/checks/{'0' * 32}")
    error = (await answer.json())["error"]
    assert (answer.status, error["code"]) == (500, "internal")
    assert error["detail"]["request_id"] == answer.headers["X-Request-Id"]
    assert "secret" not in json.dumps(error)
    lines = [JsonLines().format(record) for record in caplog.records]
    assert any("RuntimeError" in line and "trace" in line for line in lines)
    assert not any("secret" in line or "example.org" in line for line in lines)


async def test_logs_name_no_check_no_url_and_no_address(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "unmask.server")
    answer = await client.post("/v1/checks?team=hidden", data=blank())
    check = (await answer.json())["id"]
    await client.get(f"/v1/checks/{check}?secret=1", headers={"X-Request-Id": "my-own-id-1"})
    await client.post("/v1/checks", json={"url": "http://10.0.0.1/hidden.jpg"})
    lines = [
        JsonLines().format(record) for record in caplog.records if record.name == "unmask.server"
    ]
    assert len(lines) == 3
    for word in (check, "hidden", "secret", "127.0.0.1", "10.0.0.1"):
        assert not any(word in line for line in lines), word
    record = json.loads(lines[1])
    assert record["request_id"] == "my-own-id-1"
    assert record["route"] == "/v1/checks/{id}" and record["status"] == 200


@pytest.mark.parametrize("request_id", ["short", "with space in it", "x" * 65, "line\u00e9line"])
async def test_odd_request_ids_are_replaced(client: Client, request_id: str) -> None:
    answer = await client.get("/healthz", headers={"X-Request-Id": request_id})
    assert len(answer.headers["X-Request-Id"]) == 32


async def test_a_packed_body_is_counted_unpacked(service: Service) -> None:
    async with client_of(service, max_bytes=100_000) as client:
        bomb = gzip.compress(bytes(50_000_000))
        headers = {"Content-Encoding": "gzip", "Content-Type": "image/png"}
        answer = await client.post("/v1/checks", data=bomb, headers=headers)
        assert answer.status in {400, 413}
        answer = await client.post("/v1/checks", data=b"not gzip", headers=headers)
        assert (answer.status, (await answer.json())["error"]["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    "raw",
    [
        b"POST /v1/checks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\nshort",
        b"POST /v1/checks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
        b"GET http://evil/ HTTP/1.1\r\nHost: [\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
async def test_broken_requests_break_nothing(client: Client, raw: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(raw)
    writer.write_eof()
    async with asyncio.timeout(60):
        head = await reader.read(65_536)
    assert not head.startswith(b"HTTP/1.1 5"), head
    writer.close()
    assert (await client.get("/healthz")).status == 200


async def test_without_a_queue_the_server_says_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: Any, **__: Any) -> Any:
        from unmask.errors import UnmaskError

        raise UnmaskError("queue_unavailable", "The queue cannot be reached.")

    monkeypatch.setattr(CheckQueue, "stats", gone)
    answer = await client.get("/readyz")
    assert (answer.status, (await answer.json())["error"]["code"]) == (503, "not_ready")
    assert (await client.get("/healthz")).status == 200
    assert "unmask_queue_up 0.0" in await (await client.get("/metrics")).text()
    assert (await client.post("/v1/checks", data=blank())).status == 503


async def test_metrics_count_what_happened(client: Client, portrait: Any) -> None:
    await client.post("/v1/checks?wait=60", data=blank())
    await client.post("/v1/checks", data=b"nonsense")
    answer = await client.get("/metrics")
    text = await answer.text()
    assert answer.headers["Content-Type"].startswith("text/plain")
    for line in (
        'unmask_http_requests_total{method="POST",route="/v1/checks",status="200"} 1.0',
        'unmask_http_errors_total{code="not_a_picture"} 1.0',
        "unmask_queue_up 1.0",
        "unmask_workers 1.0",
        'unmask_workers_by_engine{engine="',
        "unmask_queue_oldest_seconds",
        "unmask_queue_depth",
        'unmask_worker_batches_by_size_total{size="1"}',
        'unmask_worker_stage_seconds_total{stage="model"}',
        'unmask_worker_events_total{of="done"}',
    ):
        assert line in text, line


def test_the_server_runs_without_the_model_s_run_time() -> None:
    code = (
        "import sys, server.app, server.main, server.security.keys_cli;"
        "print([name for name in sys.modules if name.split('.')[0] in"
        " ('onnxruntime', 'tensorflow', 'keras', 'worker', 'bot', 'model_training')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
