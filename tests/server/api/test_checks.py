"""Checks over HTTP: every way to send a picture, and the life of a check."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient, TestServer
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from server.api.responses import DEPRECATED
from server.routes import api_document
from tests.server.server_process import Service, blank, client_of, photo
from tests.unmask.fetch.hostile import LOOPBACK, loopback
from unmask.fetch import Fetcher
from unmask.report import Check

pytestmark = pytest.mark.anyio
Client = TestClient[Any, Any]


def form(data: bytes, **fields: str) -> FormData:
    made = FormData()
    for name, text in fields.items():
        made.add_field(name, text)
    made.add_field("file", data, filename="photo.jpg", content_type="image/jpeg")
    return made


async def done(client: Client, data: bytes, **params: Any) -> dict[str, Any]:
    answer = await client.post("/v1/checks", params={"wait": 60} | params, data=data)
    assert answer.status == 200, await answer.text()
    body: dict[str, Any] = await answer.json()
    return body


async def test_a_form_is_answered_with_the_report(client: Client, portrait: Any) -> None:
    data = photo(portrait)
    answer = await client.post("/v1/checks?wait=60", data=form(data))
    assert answer.status == 200
    body = await answer.json()
    check = Check.model_validate(body)
    assert check.report is not None
    assert check.sha256 == check.report.sha256 == hashlib.sha256(data).hexdigest()
    assert check.verdict == check.report.verdict == "fake" and len(check.report.faces) == 1
    assert answer.headers["Location"] == f"/v1/checks/{check.id}"
    assert check.report.pictures.annotated == f"/v1/checks/{check.id}/annotated.jpg"


async def test_a_done_check_keeps_what_it_said_before(client: Client, portrait: Any) -> None:
    """One shape: ``done`` adds a report, and takes nothing away."""
    fields = {"team": "desk", "door": "web"}
    sent = await (await client.post("/v1/checks", data=form(photo(portrait), **fields))).json()
    await (await client.get(f"/v1/checks/{sent['id']}/events")).text()
    ended = await (await client.get(f"/v1/checks/{sent['id']}")).json()
    assert sent["report"] is None and ended["report"] is not None
    kept = ("id", "sha256", "team", "door", "priority", "created", "expires")
    assert [sent[name] for name in kept] == [ended[name] for name in kept]
    assert "id" not in ended["report"] and "created" not in ended["report"]


async def test_fields_of_the_version_before_stay_for_one_version(client: Client) -> None:
    body = await done(client, blank())
    for name in DEPRECATED:
        assert body[name] == body["report"][name], name
    old = "version id sha256 state verdict fake_probability statement image faces model threshold "
    old += "real_bound fake_bound pictures timings_ms created warnings"
    assert set(old.split()) <= set(body)
    schema = api_document()["components"]["schemas"]["Check"]
    marked = {name for name, told in schema["properties"].items() if told.get("deprecated")}
    assert marked == set(DEPRECATED) and not marked & set(schema["required"])


async def test_reading_a_check_takes_one_call_of_redis(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    check, calls = (await done(client, blank()))["id"], []
    execute = AsyncRedis.execute_command

    async def counted(redis: Any, *command: Any, **options: Any) -> Any:
        calls.append(command[0])
        return await execute(redis, *command, **options)

    monkeypatch.setattr(AsyncRedis, "execute_command", counted)
    for path, most in {
        f"/v1/checks/{check}": 1,
        f"/v1/checks/{check}/annotated.jpg": 1,
        f"/v1/checks/{check}/mask.png": 1,
        f"/c/{check}/card": 1,
        f"/v1/checks/{check}/report.pdf": 2,
        "/v1/checks": 1,
    }.items():
        calls.clear()
        assert (await client.get(path)).status == 200
        assert len(calls) == most, (path, calls)


async def test_raw_bytes_are_read_as_a_picture(client: Client, portrait: Any) -> None:
    for kind in ("application/octet-stream", "image/png", "image/whatever"):
        data = photo(portrait, "PNG")
        answer = await client.post("/v1/checks?wait=60", data=data, headers={"Content-Type": kind})
        assert (await answer.json())["verdict"] == "fake"


async def test_without_waiting_the_check_is_under_way(client: Client, portrait: Any) -> None:
    answer = await client.post("/v1/checks", data=form(photo(portrait), team="desk", door="web"))
    assert answer.status == 202
    check = await answer.json()
    assert check["state"] in {"queued", "running"}
    assert (check["team"], check["door"]) == ("desk", "web")
    ended = await (await client.get(f"/v1/checks/{check['id']}/events")).text()
    assert "event: done" in ended
    report = await (await client.get(answer.headers["Location"])).json()
    assert report["state"] == "done" and report["id"] == check["id"]


async def test_a_url_is_fetched(service: Service, portrait: Any) -> None:
    data = photo(portrait)

    async def serve(request: web.Request) -> web.Response:
        return web.Response(body=data, content_type="image/jpeg")

    pictures = web.Application()
    pictures.router.add_get("/a.jpg", serve)
    async with TestServer(pictures) as site:
        fetcher = Fetcher(10**7, 5, opened=LOOPBACK, ports={site.port or 0}, lookup=loopback)
        url = f"http://pictures.example.org:{site.port}/a.jpg"
        async with client_of(service, fetcher) as client:
            answer = await client.post("/v1/checks?wait=60", json={"url": url})
            assert answer.status == 200, await answer.text()
            assert (await answer.json())["sha256"] == hashlib.sha256(data).hexdigest()
            by_form = FormData({"url": url, "file": ""}, default_to_multipart=True)
            answer = await client.post("/v1/checks?wait=60", data=by_form)
            assert answer.status == 200, await answer.text()
            gone = await client.post("/v1/checks", json={"url": url + "x"})
            assert (gone.status, (await gone.json())["error"]["code"]) == (422, "url_unreachable")


async def test_the_server_fetches_nothing_inside_the_network(client: Client) -> None:
    for url, code in {
        f"http://127.0.0.1:{client.port}/healthz": "url_refused",
        "http://127.0.0.1:8080/": "url_refused",
        "http://169.254.169.254/latest/meta-data/": "url_refused",
        "file:///etc/passwd": "bad_url",
        "http://2130706433/": "url_refused",
    }.items():
        answer = await client.post("/v1/checks", json={"url": url})
        assert (await answer.json())["error"]["code"] == code


async def test_the_same_key_gives_the_same_check(client: Client, portrait: Any) -> None:
    data = photo(portrait)
    key = {"Idempotency-Key": hashlib.sha256(data).hexdigest()}
    first = await (await client.post("/v1/checks", data=data, headers=key)).json()
    again = await (await client.post("/v1/checks?wait=60", data=data, headers=key)).json()
    other = await (await client.post("/v1/checks", data=data)).json()
    assert first["id"] == again["id"] != other["id"]
    answer = await client.post("/v1/checks", data=photo(portrait), headers=key)
    assert (await answer.json())["error"]["code"] == "idempotency_mismatch"


@pytest.mark.parametrize("key", ["", "x" * 201, "ü"])
async def test_a_useless_idempotency_key_is_refused(client: Client, key: str) -> None:
    answer = await client.post("/v1/checks", data=blank(), headers={"Idempotency-Key": key})
    assert (await answer.json())["error"]["code"] == "bad_request"


async def test_lists_belong_to_a_team(client: Client, portrait: Any) -> None:
    team = "team-" + hashlib.sha256(photo(portrait)).hexdigest()[:8]
    fake = await done(client, photo(portrait), team=team)
    none = await done(client, blank(), team=team)
    assert (fake["verdict"], none["verdict"]) == ("fake", "no_face")

    async def listed(**params: Any) -> list[str]:
        answer = await client.get("/v1/checks", params={"team": team} | params)
        assert answer.status == 200, await answer.text()
        return [check["id"] for check in (await answer.json())["checks"]]

    assert await listed() == [none["id"], fake["id"]]
    assert (await listed(order="suspicious"))[0] == fake["id"]
    assert await listed(verdict="no_face") == [none["id"]]
    assert await listed(state="failed") == []
    first = await (await client.get("/v1/checks", params={"team": team, "limit": 1})).json()
    rest = await listed(cursor=first["cursor"])
    assert [check["id"] for check in first["checks"]] + rest == [none["id"], fake["id"]]
    others = await (await client.get("/v1/checks", params={"team": "a-team-without-checks"})).json()
    assert others["checks"] == []


async def test_delete_leaves_no_trace(service: Service, client: Client, portrait: Any) -> None:
    data = photo(portrait)
    sha256 = hashlib.sha256(data).hexdigest()
    report = await done(client, data, team="traces")
    assert traces(service, sha256, report["id"])
    assert (await client.delete(f"/v1/checks/{report['id']}")).status == 204
    assert traces(service, sha256, report["id"]) == []
    for path in ("", "/events", "/annotated.jpg", "/original.jpg", "/report.pdf"):
        assert (await client.get(f"/v1/checks/{report['id']}{path}")).status == 404
    assert (await client.delete(f"/v1/checks/{report['id']}")).status == 404


def traces(service: Service, sha256: str, check_id: str) -> list[str]:
    """Whatever in Redis or in the store names the picture or the check."""
    found = [str(path) for path in Path(service.data).rglob(f"*{sha256}*")]
    with Redis.from_url(service.redis_url, decode_responses=True) as redis:
        for key in redis.scan_iter():
            dump = f"{key} {redis.dump(key)!r}" if redis.type(key) != "stream" else key
            if sha256 in dump or check_id in dump:
                found.append(key)
    return found


async def test_json_comes_as_a_file_if_asked(client: Client) -> None:
    report = await done(client, blank())
    answer = await client.get(f"/v1/checks/{report['id']}?download=1")
    assert f"unmask-{report['id']}.json" in answer.headers["Content-Disposition"]
    assert json.loads(await answer.text()) == report


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("wait=x", "bad_request"),
        ("wait=-1", "bad_request"),
        ("wait=nan", "bad_request"),
        ("wait=inf", "bad_request"),
        ("door=telegram", "bad_request"),
        ("door=x", "bad_request"),
        ("team=", "bad_request"),
        ("team=" + "x" * 65, "bad_request"),
        ("team=a%20b%0A", "bad_request"),
    ],
)
async def test_bad_options_are_refused(client: Client, query: str, code: str) -> None:
    answer = await client.post(f"/v1/checks?{query}", data=blank())
    assert (answer.status, (await answer.json())["error"]["code"]) == (400, code)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=٣",
        "limit=0000000019999",
        "limit=000000001" + "9" * 5_000,
        "state=x",
        "verdict=x",
        "order=x",
        "cursor=x",
        *(f"cursor={score}~{'0' * 32}" for score in ("1.2.3", "e", "-", "1e", "9e999", "inf")),
    ],
)
async def test_bad_lists_are_refused(client: Client, query: str) -> None:
    answer = await client.get(f"/v1/checks?{query}")
    assert (answer.status, (await answer.json())["error"]["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        ("application/json", b"", 400, "bad_request"),
        ("application/json", b"{", 400, "bad_request"),
        ("application/json", b"[]", 400, "bad_request"),
        ("application/json", b"{}", 400, "bad_request"),
        ("application/json", b'{"url": 5}', 400, "bad_request"),
        ("application/json", b"[" * 60_000, 400, "bad_request"),
        ("application/json", b'{"url": "' + b"x" * 70_000 + b'"}', 400, "bad_url"),
        ("application/json", b'{"url": "http://localhost/"}', 403, "url_refused"),
        ("application/json", b"\xff\xfe", 400, "bad_request"),
        ("text/plain", b"hello", 415, "unsupported_body"),
        ("application/x-www-form-urlencoded", b"url=x", 415, "unsupported_body"),
        ("multipart/form-data", b"hello", 400, "bad_request"),
        ("multipart/form-data; boundary=b", b"", 400, "bad_request"),
        ("multipart/form-data; boundary=b", b"--b--\r\n", 400, "bad_request"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--\r\n", 400, "bad_request"),
        ("multipart/form-data; boundary=b", b"--b\r\nnonsense", 400, "bad_request"),
        ("image/jpeg", b"", 400, "empty_file"),
        ("image/jpeg", b"not a picture at all", 415, "not_a_picture"),
        ("image/jpeg", b"%PDF-1.7 and so on", 415, "not_a_picture"),
        ("image/png", b"\x89PNG\r\n\x1a\n", 422, "truncated"),
    ],
)
async def test_bad_bodies_are_refused(
    client: Client, kind: str, body: bytes, status: int, code: str
) -> None:
    answer = await client.post("/v1/checks", data=body, headers={"Content-Type": kind})
    error = (await answer.json())["error"]
    assert (answer.status, error["code"]) == (status, code), error


async def test_two_files_are_one_too_many(client: Client) -> None:
    made = form(blank())
    made.add_field("file", blank(), filename="b.png")
    answer = await client.post("/v1/checks", data=made)
    assert (await answer.json())["error"]["code"] == "bad_request"


async def test_an_upload_is_counted_while_it_streams(service: Service) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 50_000_000:
            sent += 65_536
            yield bytes(65_536)
            await asyncio.sleep(0)

    async with client_of(service, max_bytes=200_000) as client:
        answer = await client.post("/v1/checks", data=endless())
        assert (answer.status, (await answer.json())["error"]["code"]) == (413, "too_many_bytes")
        assert sent < 20_000_000  # what buffers hold meanwhile depends on the load
        made = FormData()
        made.add_field("file", bytes(300_000), filename="a.jpg")
        answer = await client.post("/v1/checks", data=made)
        assert answer.status == 413
