"""Bodies as clients send them: slowly, packed, coded for mail, with parts that nobody asked for."""

from __future__ import annotations

import asyncio
import base64
import binascii
import codecs
import gzip
from collections.abc import AsyncIterator, Iterator
from typing import Any

import brotli
import pytest
from aiohttp.test_utils import TestClient
from backports import zstd

from server.api import streams
from server.api.forms import MAX_BESIDES, MAX_PARTS_BESIDES
from server.context import UPLOADS
from server.upload_memory import MAX_UPLOADS, Shares
from tests.server.server_process import Service, blank, client_of

pytestmark = pytest.mark.anyio
Client = TestClient[Any, Any]
FORM = {"Content-Type": "multipart/form-data; boundary=b"}


def part(name: str, data: bytes, *headers: str) -> bytes:
    lines = [f'Content-Disposition: form-data; name="{name}"', *headers, "", ""]
    return b"--b\r\n" + "\r\n".join(lines).encode("latin-1") + data + b"\r\n"


async def sent(client: Client, *parts: bytes, path: str = "/v1/checks") -> tuple[int, Any]:
    answer = await client.post(path, data=b"".join(parts) + b"--b--\r\n", headers=FORM)
    body = await answer.json()
    return answer.status, body.get("error") or body


@pytest.mark.parametrize(
    ("coding", "encode"),
    [
        ("base64", base64.encodebytes),
        ("BASE64 ", base64.b64encode),
        ("base64", lambda data: base64.encodebytes(data).replace(b"\n", b"\r\n")),
        ("quoted-printable", lambda data: binascii.b2a_qp(data, istext=False)),
        ("binary", bytes),
        ("8bit", bytes),
    ],
)
async def test_a_part_that_is_coded_for_mail_is_decoded(
    client: Client, coding: str, encode: Any
) -> None:
    data = blank() + bytes(range(256)) * 300  # more than one chunk, with each byte
    coded = part("file", encode(data), f"Content-Transfer-Encoding: {coding}")
    team = part("team", encode(b"desk"), f"Content-Transfer-Encoding: {coding}")
    status, check = await sent(client, team, coded)
    plain = await (await client.post("/v1/checks", data=data)).json()
    assert status in {200, 202}, check
    assert (check["sha256"], check["team"]) == (plain["sha256"], "desk")


@pytest.mark.parametrize(
    ("header", "data", "code"),
    [
        ("Content-Transfer-Encoding: x-uuencode", b"x", "unsupported_body"),
        ("Content-Transfer-Encoding: base64", b"QUJD=QQ", "bad_request"),
        ("Content-Transfer-Encoding: base64", b"A" * 40_000, "too_many_bytes"),
        ("Content-Transfer-Encoding: quoted-printable", b"=41" * 21_000, "too_many_bytes"),
    ],
)
async def test_a_part_that_cannot_be_decoded_says_so(
    service: Service, header: str, data: bytes, code: str
) -> None:
    async with client_of(service, max_bytes=20_000) as client:
        _, error = await sent(client, part("file", data, header))
        assert error["code"] == code, error


async def test_text_before_the_first_part_is_skipped(client: Client) -> None:
    for text in (b"This is a message in MIME format.", b"", b"--\r\n--bb", b"-" * 70_000):
        status, check = await sent(client, text + b"\r\n", part("file", blank()))
        assert status == 202, check


async def test_names_of_parts_are_read_as_they_are_written(client: Client) -> None:
    for disposition in (
        'form-data; name=file; filename="a; name=other.png"',
        'form-data; filename="a\\"; name=\\"x.png" ; name="file"',
        'FORM-DATA; Name="file"',
    ):
        body = f"--b\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + blank() + b"\r\n"
        status, check = await sent(client, body)
        assert status == 202, (disposition, check)


@pytest.mark.parametrize("path", ["/v1/checks", "/v1/checks/bulk"])
async def test_parts_that_nobody_asked_for_are_bounded(service: Service, path: str) -> None:
    async with client_of(service, max_bytes=20_000, max_bulk=3) as client:
        few = [part("other", b"x" * 1_000)] * (MAX_PARTS_BESIDES - 2)
        status, _ = await sent(client, *few, part("file", blank()), path=path)
        assert status == 202
        many = [part("other", b"")] * (MAX_PARTS_BESIDES + 10)
        status, error = await sent(client, *many, part("file", blank()), path=path)
        assert (status, error["code"]) == (400, "bad_request")
        large = part("other", bytes(MAX_BESIDES + 100_000))
        status, error = await sent(client, large, part("file", blank()), path=path)
        assert (status, error["code"]) == (413, "too_many_bytes")
        status, error = await sent(client, b"x" * (MAX_BESIDES + 100_000), path=path)
        assert (status, error["code"]) == (413, "too_many_bytes")


NO_FORMS = [b"", b"--b", b"--b\r\n", b"--b--\r\n", part("file", b"x"), b"--b\r\nx\r\n\r\n--b--"]


@pytest.mark.parametrize("body", NO_FORMS)
async def test_a_malformed_form_is_a_bad_request(client: Client, body: bytes) -> None:
    for path in ("/v1/checks", "/v1/checks/bulk"):
        answer = await client.post(path, data=body, headers=FORM)
        assert (answer.status, (await answer.json())["error"]["code"]) == (400, "bad_request")


async def drip(chunk: bytes, times: int, pause: float) -> AsyncIterator[bytes]:
    for _ in range(times):
        yield chunk
        await asyncio.sleep(pause)


@pytest.mark.parametrize(
    ("chunk", "pause", "status"),
    [
        (b"x" * 400, 0.1, 415),  # steady: 4,000 bytes a second
        (b"x" * 10, 0.1, 408),  # 100 bytes a second
        (b"x" * 5_000, 3.0, 408),  # silent after a good beginning
    ],
)
@pytest.mark.parametrize("as_form", [False, True])
async def test_the_rate_of_an_upload_counts_and_not_its_time(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    chunk: bytes,
    pause: float,
    status: int,
    as_form: bool,
) -> None:
    monkeypatch.setattr(streams, "SILENCE", 0.5)
    monkeypatch.setattr(streams, "LEAST_RATE", 1_000)

    async def body() -> AsyncIterator[bytes]:
        if as_form:
            yield part("file", b"")[:-2]
        async for piece in drip(chunk, 15, pause):
            yield piece
        if as_form:
            yield b"\r\n--b--\r\n"

    answer = await client.post("/v1/checks", data=body(), headers=FORM if as_form else None)
    assert answer.status == status, await answer.text()


async def test_slow_parts_that_nobody_asked_for_are_slow_too(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "SILENCE", 0.5)
    answer = await client.post("/v1/checks", data=drip(part("x", b""), 30, 0.1), headers=FORM)
    assert answer.status == 408


@pytest.fixture
def looked_up() -> Iterator[list[str]]:
    """The names of codecs that anybody looked up, as far as Python does not know them."""
    names: list[str] = []

    def search(name: str) -> None:
        names.append(name)

    codecs.register(search)
    yield names
    codecs.unregister(search)


async def test_no_decoder_is_one_that_the_sender_names(
    client: Client, looked_up: list[str]
) -> None:
    """Some of Python's take seconds for a few kilobytes, on the loop that serves everybody."""
    data = blank()
    for at, body in enumerate(
        (
            part("file", data, "Content-Type: image/png; charset=spy-0"),
            part("_charset_", b"spy-1") + part("team", b"desk") + part("file", data),
            b"--b\r\nContent-Disposition: form-data; name*=spy-2''file; filename*=spy-2''a; "
            b"filename*0*=spy-2''a\r\n\r\nx\r\n" + part("file", data),
        )
    ):
        status, check = await sent(client, body)
        assert status in {200, 202}, (at, check)
    for content_type in ("image/png; charset=spy-3", "application/json; charset=spy-4"):
        await client.post("/v1/checks", data=data, headers={"Content-Type": content_type})
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=spy-5"}
    answer = await client.post("/session", data=b"key=x", headers=form)
    assert (answer.status, (await answer.json())["error"]["code"]) == (400, "bad_request")
    assert not [name for name in looked_up if "spy" in name]


PACKED = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstd.compress, "identity": bytes}


@pytest.mark.parametrize(("encoding", "pack"), PACKED.items())
async def test_a_packed_body_is_unpacked_and_counted(
    service: Service, encoding: str, pack: Any
) -> None:
    async with client_of(service, max_bytes=100_000) as client:
        headers = {"Content-Encoding": encoding, "Content-Type": "image/png"}
        answer = await client.post("/v1/checks", data=pack(blank()), headers=headers)
        assert answer.status == 202, await answer.text()
        answer = await client.post("/v1/checks", data=pack(bytes(3_000_000)), headers=headers)
        assert (answer.status, (await answer.json())["error"]["code"]) == (413, "too_many_bytes")


@pytest.mark.parametrize("encoding", ["compress", "x-gzip", "gzip, gzip", "foo"])
@pytest.mark.parametrize("path", ["/v1/checks", "/v1/checks/bulk", "/check", "/session"])
async def test_another_encoding_is_refused(client: Client, encoding: str, path: str) -> None:
    kind = "application/x-www-form-urlencoded" if path == "/session" else FORM["Content-Type"]
    headers = {"Content-Encoding": encoding, "Content-Type": kind}
    answer = await client.post(path, data=b"key=x", headers=headers)
    assert (answer.status, (await answer.json())["error"]["code"]) == (415, "unsupported_body")


async def test_data_urls_are_decoded_at_each_door(client: Client) -> None:
    data = blank() + bytes(100_000)  # a URL longer than other fields may be
    url = " data:image/png;base64," + base64.b64encode(data).decode() + "\n"
    plain = await (await client.post("/v1/checks", data=data)).json()
    answer = await client.post("/v1/checks", json={"url": url})
    assert (await answer.json())["sha256"] == plain["sha256"]
    assert (await sent(client, part("url", url.encode())))[1]["sha256"] == plain["sha256"]
    answer = await client.post("/v1/checks/bulk", json={"urls": [url, "data:x"]})
    first, second = (await answer.json())["checks"]
    assert (first["sha256"], second["error"]["code"]) == (plain["sha256"], "bad_url")


@pytest.mark.parametrize(
    "body",
    [b'{"url": ' + b"[" * 200_000, b'{"url": [' + b"{}," * 50_000 + b"1]}", b'{"url":"\xff"}'],
)
async def test_long_json_holds_strings_and_little_else(client: Client, body: bytes) -> None:
    """Each of many small values takes far more memory than its characters."""
    answer = await client.post(
        "/v1/checks", data=body, headers={"Content-Type": "application/json"}
    )
    assert (answer.status, (await answer.json())["error"]["code"]) == (400, "bad_request")


async def test_what_is_refused_by_its_head_need_not_be_sent(service: Service) -> None:
    head = "POST /v1/checks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"
    head += "Content-Length: {}\r\nExpect: {}\r\n\r\n"

    async def first_lines(client: Client, expect: str, body: bytes) -> tuple[bytes, bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(head.format(len(body), expect).encode())
        first = await reader.readuntil(b"\r\n")
        if b" 100 " in first:
            writer.write(body)
            await reader.readuntil(b"\r\n")
        second = await reader.readuntil(b"\r\n") if b" 100 " in first else b""
        writer.close()
        return first, second

    async with client_of(service) as client:
        first, second = await first_lines(client, "100-Continue", blank())
        assert (first, second) == (b"HTTP/1.1 100 Continue\r\n", b"HTTP/1.1 202 Accepted\r\n")
    async with client_of(service, api_keys="required") as client:
        first, _ = await first_lines(client, "100-continue", blank())
        assert first == b"HTTP/1.1 401 Unauthorized\r\n"


def test_shares_leave_something_for_the_next() -> None:
    shares = Shares(120)
    assert [shares.take("a", 20) for _ in range(4)] == [True, True, True, False]
    assert [shares.take("b", 10) for _ in range(4)] == [True, True, True, False]
    assert shares.take("c", 10)
    shares.give_back("a", 60)
    assert shares.take("b", 10)


async def test_pictures_in_memory_are_bounded_and_one_caller_leaves_room(service: Service) -> None:
    """The bytes of many uploads at one time, which none of them ends."""
    release = asyncio.Event()

    async def held() -> AsyncIterator[bytes]:
        yield b"x" * 90_000
        await release.wait()

    async with client_of(service, max_bytes=100_000, upload_memory=400_000) as client:
        assert client.app is not None
        memory = client.app[UPLOADS]
        holders = [asyncio.create_task(client.post("/v1/checks", data=held())) for _ in range(4)]
        _, waiting = await asyncio.wait(holders, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(0.2)
        refused = [await task for task in holders if task.done()]
        for answer in refused:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
            assert (await answer.json())["error"]["code"] == "busy"
        assert len(refused) == 2
        with memory.holding("another") as other:
            other.take(90_000)
        release.set()
        assert {(await task).status for task in waiting} <= {415, 503}
        with memory.holding("127.0.0.1") as all_free:
            all_free.take(200_000)
        # What is sent and stored is no longer held while its check is awaited.
        for _ in range(5):
            assert (await client.post("/v1/checks?wait=1", data=blank())).status in {200, 202}


async def test_uploads_at_one_time_are_shared_out(client: Client) -> None:
    assert client.app is not None
    memory = client.app[UPLOADS]
    first = [memory.upload("127.0.0.1") for _ in range(MAX_UPLOADS // 2)]
    for upload in first:
        upload.__enter__()
    for path in ("/v1/checks", "/v1/checks/bulk", "/check"):
        answer = await client.post(path, data=blank())
        assert (answer.status, (await answer.json())["error"]["code"]) == (503, "busy")
    with memory.upload("another"):
        pass
    for upload in first:
        upload.__exit__(None, None, None)
    assert (await client.post("/v1/checks", data=blank())).status == 202


async def test_the_error_of_a_broken_upload_holds_none_of_its_bytes() -> None:
    """aiohttp keeps it with the request, in a circle that may be collected much later."""

    class Broken:
        def __init__(self) -> None:
            self.chunks = [b"x" * 1_000_000]

        async def read(self) -> bytes:
            if not self.chunks:
                raise ConnectionResetError
            return self.chunks.pop()

    with pytest.raises(ConnectionResetError) as error:
        await streams.read_all(Broken(), 2_000_000)
    frames = [step.frame.f_locals for step in error.traceback]
    held = [value for names in frames for value in names.values() if isinstance(value, bytearray)]
    assert [len(value) for value in held] == [0]
