"""What a hostile server on loopback answers."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.unmask.fetch.hostile import LOOPBACK, PICTURE, fetched, hostile_server, loopback
from unmask.errors import UnmaskError
from unmask.fetch import MAX_REDIRECTS, Fetcher


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
        ("/to-number", PICTURE),
        ("/nowhere", "url_unreachable"),
        ("/404", "url_unreachable"),
        ("/500", "url_unreachable"),
        ("/204", "url_unreachable"),
        ("/206", "url_unreachable"),
        ("/page", "not_a_picture web_page"),
        ("/huge-length", "too_many_bytes"),
        ("/negative-length", "url_unreachable"),
        ("/short", "url_unreachable"),
        ("/gzip-bomb", "too_many_bytes"),
        ("/endless", "too_many_bytes"),
        ("/bad-chunks", "url_unreachable"),
        ("/huge-header", "url_unreachable"),
        ("/garbage", "url_unreachable"),
        ("/silent-close", "url_unreachable"),
        ("/cookie", b"yes"),
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
