"""No URL, redirect, name or address leads the fetcher anywhere but to the public internet."""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from unmask.errors import UnmaskError
from unmask.fetch import MAX_REDIRECTS, Fetcher, checked_url, is_public, next_url

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
PICTURE = b"\xff\xd8\xff the bytes of a picture"

#: URLs refused before any name is looked up.
BAD_URLS = [
    "",
    "x",
    "example.org/a.jpg",
    "//example.org/a.jpg",
    "http://",
    "http:///a.jpg",
    "http://?a",
    "https://#a",
    "file:///etc/passwd",
    "ftp://example.org/a.jpg",
    "gopher://example.org/_x",
    "dict://example.org:11211/stats",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "jar:http://example.org!/a",
    "unix:///var/run/docker.sock",
    "ws://example.org/",
    "http://user@example.org/",
    "http://user:secret@example.org/",
    "http://example.org@127.0.0.1/",
    "http://127.0.0.1:80@example.org/",
    "http://@example.org/",
    "http://example.org\\@127.0.0.1/",
    "http://example.org/a b.jpg",
    "http://example.org/\r\nHost: 127.0.0.1",
    "http://example.org/\x00",
    "http://exam\tple.org/",
    "http://example.org/\u00a0",
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0177.0.0.1/",
    "http://0177.0.0.01/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0/",
    "http://127.0.0.1.1/",
    "http://127.0.0.256/",
    "http://00127.0.0.1/",
    "http://127.0.0.1./",
    "http://example.0x/",
    "http://١٢٧.0.0.1/",
    "http://%31%32%37.0.0.1/",
    "http://exa%6dple.org/",
    "http://example..org/",
    "http://-example.org/",
    "http://example-.org/",
    "http://exam!ple.org/",
    "http://" + "a" * 64 + ".org/",
    "http://" + "a." * 130 + "org/",
    "http://[::1/",
    "http://[::g]/",
    "http://[v1.x]/",
    "http://::1/",
    "http://example.org:99999/",
    "http://example.org:-1/",
    "http://example.org:x/",
    "http://example.org/" + "a" * 5_000,
]

#: URLs refused for the port or the name they carry.
REFUSED_URLS = [
    "http://example.org:22/",
    "http://example.org:25/",
    "http://example.org:6379/",
    "http://example.org:2375/",
    "http://example.org:9200/",
    "https://example.org:1/",
    "http://example.org:65535/",
    "http://example.org:0/",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://me.localhost/",
    "http://redis/",
    "http://printer.local/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://wiki.intranet/",
    "http://router.lan/",
    "http://nas.home.arpa/",
    "http://abcdefghijklmnop.onion/",
]

#: URLs whose host is an address, refused when it would be dialled.
REFUSED_ADDRESSES = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "①②⑦.⓪.⓪.①",
    "\uff11\uff12\uff17.0.0.1",
    "127。0。0。1",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:8.8.8.8]",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::1]",
    "[100::1]",
    "[2001::1]",
    "[2001:0:7f00:1::]",
    "[2001:2::1]",
    "[2001:10::1]",
    "[2001:db8::1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[3fff::1]",
    "[4000::1]",
    "[5f00::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fec0::1]",
    "[ff02::1]",
]

PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "192.0.1.1"]
PUBLIC += ["2606:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888", "2400:cb00::1"]


def code_of(error: pytest.ExceptionInfo[UnmaskError]) -> str:
    return error.value.code


def test_there_are_enough_hostile_urls() -> None:
    hostile = {*BAD_URLS, *REFUSED_URLS, *REFUSED_ADDRESSES}
    assert len(hostile) == len(BAD_URLS) + len(REFUSED_URLS) + len(REFUSED_ADDRESSES) >= 60


@pytest.mark.parametrize("url", BAD_URLS)
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    with pytest.raises(UnmaskError) as error:
        checked_url(url)
    assert code_of(error) == "bad_url"


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_odd_ports_and_private_names_are_refused(url: str) -> None:
    with pytest.raises(UnmaskError) as error:
        checked_url(url)
    assert code_of(error) == "url_refused"


@pytest.mark.parametrize("host", REFUSED_ADDRESSES)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_addresses_inside_are_never_dialled(host: str, scheme: str) -> None:
    assert failure(f"{scheme}://{host}/a.jpg") == "url_refused"


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_open(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://example.org", "http://example.org"),
        ("https://example.org:443/a.jpg?b=c#d", "https://example.org/a.jpg?b=c"),
        ("http://EXAMPLE.org.:8080/%41", "http://example.org.:8080/A"),
        ("https://bücher.example.org/ü.jpg", "https://xn--bcher-kva.example.org/%C3%BC.jpg"),
        ("https://a_b.example.org/", "https://a_b.example.org/"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://[2606:4700::1111]/", "http://[2606:4700::1111]/"),
    ],
)
def test_plain_urls_pass(url: str, shown: str) -> None:
    assert str(checked_url(url)) == shown


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://example.org/", "url_refused"),
        ("http://127.0.0.1@example.org/", "url_refused"),
        ("file:///etc/passwd", "bad_url"),
        ("gopher://example.org/", "bad_url"),
        ("//localhost/", "url_refused"),
        ("https://example.org:25/", "url_refused"),
        ("https://u:p@example.org/", "bad_url"),
        ("https://2130706433/", "bad_url"),
        ("/a b", "bad_url"),
        ("https://[::1", "bad_url"),
    ],
)
def test_redirects_come_back_to_the_gate(location: str, code: str) -> None:
    with pytest.raises(UnmaskError) as error:
        next_url(checked_url("https://example.org/a/b"), location)
    assert code_of(error) == code


def test_redirects_may_be_relative() -> None:
    assert str(next_url(checked_url("http://example.org/a/b"), "../c")) == "http://example.org/c"


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "10.0.0.1"],
        ["10.0.0.1", "8.8.8.8"],
        ["2606:4700::1111", "::1"],
        ["8.8.8.8", "::ffff:127.0.0.1"],
        ["169.254.169.254"],
        ["fe80::1%lo"],
        ["not an address"],
    ],
)
def test_answers_of_the_name_service_are_checked(answers: list[str]) -> None:
    assert failure("http://example.org/", lookup=lambda _: answers) == "url_refused"


def test_a_name_without_an_address_is_unreachable() -> None:
    def nothing(_: str) -> Iterable[str]:
        raise OSError("no such name")

    assert failure("http://example.org/", lookup=nothing) == "url_unreachable"


def test_the_address_dialled_is_checked_even_if_the_resolver_were_fooled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = iter([True, False])
    monkeypatch.setattr("unmask.fetch.is_public", lambda _: next(said))
    assert failure("http://example.org/", lookup=lambda _: ["127.0.0.1"]) == "url_refused"
    assert next(said, "both asked") == "both asked"


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetched("/ok") == PICTURE


# --- a hostile server on loopback ---------------------------------------------------------------


def failure(url: str, **options: object) -> str:
    async def attempt() -> str:
        async with Fetcher(1_000, 5, **options) as fetcher:  # type: ignore[arg-type]
            with pytest.raises(UnmaskError) as error:
                await fetcher.fetch(url)
            return code_of(error)

    return asyncio.run(attempt())


def fetched(path: str, seconds: float = 3.0, cap: int = 100_000) -> bytes | str:
    """What the hostile server's ``path`` yields: bytes, or the code of the error."""

    async def attempt() -> bytes | str:
        async with hostile_server() as port:
            fetcher = Fetcher(cap, seconds, opened=LOOPBACK, ports={port}, lookup=loopback)
            async with fetcher:
                try:
                    return await fetcher.fetch(f"http://pictures.example.org:{port}{path}")
                except UnmaskError as error:
                    return error.code

    return asyncio.run(attempt())


def loopback(_: str) -> list[str]:
    return ["127.0.0.1"]


def head(status: str = "200 OK", **headers: object) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


def fixed_answers(port: int) -> dict[str, bytes]:
    here = f"http://pictures.example.org:{port}"
    body = bytes(500_000)
    return {
        "/ok": head(Content_Length=len(PICTURE), Content_Type="image/jpeg") + PICTURE,
        "/unsized": head(Connection="close") + PICTURE,
        "/empty": head(Content_Length=0),
        "/hop": head("302 Found", Location="/ok", Content_Length=0),
        "/loop": head("302 Found", Location="/loop", Content_Length=0),
        "/ping": head("301 Moved", Location=f"{here}/pong", Content_Length=0),
        "/pong": head("308 Moved", Location=f"{here}/ping", Content_Length=0),
        "/to-private": head("302 Found", Location=f"http://10.0.0.1:{port}/", Content_Length=0),
        "/to-mapped": head(
            "307 Go", Location=f"http://[::ffff:10.0.0.1]:{port}/", Content_Length=0
        ),
        "/to-port": head("302 Found", Location="http://127.0.0.1:6379/", Content_Length=0),
        "/to-file": head("302 Found", Location="file:///etc/passwd", Content_Length=0),
        "/to-number": head("302 Found", Location=f"http://2130706433:{port}/ok", Content_Length=0),
        "/nowhere": head("302 Found", Content_Length=0),
        "/404": head("404 Not Found", Content_Length=0),
        "/500": head("500 Broken", Content_Length=0),
        "/204": head("204 No Content"),
        "/206": head("206 Partial", Content_Length=4) + b"part",
        "/page": head(Content_Type="text/html; charset=utf-8", Content_Length=5) + b"<html",
        "/huge-length": head(Content_Length=10**15) + b"x",
        "/negative-length": head(Content_Length=-1) + b"x",
        "/two-lengths": head(Content_Length=5) + b"hello",
        "/short": head(Content_Length=500) + b"x",
        "/gzip-bomb": head(Content_Encoding="gzip", Content_Length=len(gzip.compress(body)))
        + gzip.compress(body),
        "/bad-chunks": head(Transfer_Encoding="chunked") + b"zz\r\nhello\r\n0\r\n\r\n",
        "/huge-header": head(X_Long="a" * 200_000, Content_Length=0),
        "/garbage": b"\x00\x01\x02 this is not HTTP\r\n\r\n",
        "/cookie": head("302 Found", Location="/cookie-seen", Set_Cookie="a=b", Content_Length=0),
        "/silent-close": b"",
    }


async def answer(path: str, port: int, request: bytes, writer: asyncio.StreamWriter) -> None:
    fixed = fixed_answers(port)
    if path in fixed:
        writer.write(fixed[path])
    elif path == "/cookie-seen":
        seen = b"cookie:" in request.lower() or b"referer:" in request.lower()
        writer.write(head(Content_Length=3) + (b"yes" if seen else b"no!"))
    elif path == "/mute":
        await asyncio.sleep(60)
    else:
        await answer_without_end(path, writer)
    await writer.drain()


async def answer_without_end(path: str, writer: asyncio.StreamWriter) -> None:
    first, again, pause = {
        "/drip": (head(Content_Length=90_000), b"x", 0.05),
        "/endless": (head(Transfer_Encoding="chunked"), b"2000\r\n" + bytes(0x2000) + b"\r\n", 0),
        "/endless-headers": (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 100, 0),
        "/endless-hints": (b"", head("103 Early Hints"), 0.01),
    }[path]
    writer.write(first)
    while True:
        writer.write(again)
        await writer.drain()
        await asyncio.sleep(pause)


@asynccontextmanager
async def hostile_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            await answer(request.split()[1].decode(), port, request, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield port
    finally:
        for task in tasks:
            if task is not None:
                task.cancel()
        server.close()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/ok", PICTURE),
        ("/unsized", PICTURE),
        ("/hop", PICTURE),
        ("/empty", b""),
        ("/loop", "url_unreachable"),
        ("/ping", "url_unreachable"),
        ("/to-private", "url_refused"),
        ("/to-mapped", "url_refused"),
        ("/to-port", "url_refused"),
        ("/to-file", "bad_url"),
        ("/to-number", "bad_url"),
        ("/nowhere", "url_unreachable"),
        ("/404", "url_unreachable"),
        ("/500", "url_unreachable"),
        ("/204", "url_unreachable"),
        ("/206", "url_unreachable"),
        ("/page", "not_a_picture"),
        ("/huge-length", "too_many_bytes"),
        ("/negative-length", "url_unreachable"),
        ("/short", "url_unreachable"),
        ("/gzip-bomb", "url_unreachable"),
        ("/endless", "too_many_bytes"),
        ("/bad-chunks", "url_unreachable"),
        ("/huge-header", "url_unreachable"),
        ("/garbage", "url_unreachable"),
        ("/silent-close", "url_unreachable"),
        ("/cookie", b"no!"),
    ],
)
def test_hostile_server(path: str, expected: bytes | str) -> None:
    assert fetched(path) == expected


@pytest.mark.timeout(30)  # they would go on for ever
@pytest.mark.parametrize("path", ["/drip", "/mute", "/endless-hints"])
def test_a_slow_server_is_given_up(path: str) -> None:
    assert fetched(path, seconds=0.5) == "url_timeout"


def test_headers_without_end_are_given_up() -> None:
    assert fetched("/endless-headers", seconds=2) in {"url_unreachable", "url_timeout"}


def test_redirects_are_counted() -> None:
    assert MAX_REDIRECTS <= 10


def test_https_to_http_is_refused_and_certificates_are_checked(tmp_path: Path) -> None:
    server_tls, client_tls = self_signed(tmp_path)

    async def attempt() -> tuple[bytes | str, ...]:
        async with hostile_server(server_tls) as port:
            found: list[bytes | str] = []
            for tls, path in ((client_tls, "/ok"), (client_tls, "/ping"), (None, "/ok")):
                fetcher = Fetcher(
                    10_000, 5, opened=LOOPBACK, ports={port}, lookup=loopback, tls=tls
                )
                async with fetcher:
                    try:
                        found.append(
                            await fetcher.fetch(f"https://pictures.example.org:{port}{path}")
                        )
                    except UnmaskError as error:
                        found.append(error.code)
            return tuple(found)

    assert asyncio.run(attempt()) == (PICTURE, "url_refused", "url_unreachable")


def self_signed(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    key, certificate = folder / "key.pem", folder / "cert.pem"
    name = "pictures.example.org"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]  # noqa: RUF005
        + ["-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
        + ["-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return server, ssl.create_default_context(cafile=str(certificate))
