"""A picture is a picture, whatever type and encoding its site claims."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
from aiohttp import web
from backports import zstd

from tests.unmask.fetch.hostile import PICTURE, fetched_from

URL = "http://pictures.example.org:PORT/a.php?id=5"
RAW_DEFLATE = zlib.compress(PICTURE)[2:-4]


def gzipped(data: bytes) -> bytes:
    """Packed data without a time, so that each process names the tests alike."""
    return gzip.compress(data, mtime=0)


BOMB = bytes(50_000_000)


def answered(body: bytes, cap: int = 100_000, **headers: str) -> bytes | str:
    """What is fetched from a site that sends this; underscores in names stand for hyphens."""
    sent = {name.replace("_", "-"): text for name, text in headers.items()}

    async def answer(_: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=sent)
        response.content_length = len(body)
        await response.prepare(_)
        await response.write(body)
        return response

    return fetched_from(answer, URL, cap)


@pytest.mark.parametrize(
    "content_type",
    ["text/html", "text/html; charset=utf-8", "application/xhtml+xml", "text/plain", "nonsense"],
)
def test_the_type_that_a_site_claims_is_not_believed(content_type: str) -> None:
    for picture in (PICTURE, PICTURE + bytes(5_000)):
        assert answered(picture, Content_Type=content_type) == picture
    if "html" in content_type:
        for page in (b"<!doctype html>", b"<!doctype html>" + b" " * 5_000):
            assert answered(page, Content_Type=content_type) == "not_a_picture"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzipped(PICTURE)),
        ("GZip", gzipped(PICTURE)),
        ("x-gzip", gzipped(PICTURE)),
        ("gzip", gzipped(PICTURE[:9]) + gzipped(PICTURE[9:]) + b"\0trailing"),
        ("deflate", zlib.compress(PICTURE)),
        ("deflate", RAW_DEFLATE),
        ("br", brotli.compress(PICTURE)),
        ("zstd", zstd.compress(PICTURE)),
        ("zstd", zstd.compress(PICTURE[:9]) + zstd.compress(PICTURE[9:])),
        ("gzip, br", brotli.compress(gzipped(PICTURE))),
        ("identity, gzip", gzipped(PICTURE)),
        # What needs no unpacking: as browsers, and beyond where the bytes are a picture's already.
        ("identity", PICTURE),
        ("", PICTURE),
        ("none", PICTURE),
        ("utf-8", PICTURE),
        ("aws-chunked", PICTURE),
        ("image/jpeg", PICTURE),
        ("gzip", PICTURE),
        ("br", PICTURE),
    ],
)
def test_a_packed_picture_is_unpacked(encoding: str, body: bytes) -> None:
    assert answered(body, Content_Encoding=encoding) == PICTURE


@pytest.mark.parametrize(
    ("encoding", "body", "code"),
    [
        ("gzip", gzipped(BOMB), "too_many_bytes"),
        ("deflate", zlib.compress(BOMB), "too_many_bytes"),
        ("br", brotli.compress(BOMB, quality=5), "too_many_bytes"),
        ("zstd", zstd.compress(BOMB), "too_many_bytes"),
        ("gzip, gzip", gzipped(gzipped(BOMB)), "too_many_bytes"),
        ("gzip, gzip, gzip, gzip", gzipped(PICTURE), "url_unreachable"),
        ("gzip", b"not gzip", "url_unreachable"),
        ("deflate", b"not deflate", "url_unreachable"),
        ("br", b"not brotli", "url_unreachable"),
        ("zstd", b"not zstd", "url_unreachable"),
    ],
)
def test_unpacking_ends_at_the_byte_limit(encoding: str, body: bytes, code: str) -> None:
    assert answered(body, Content_Encoding=encoding) == code


def test_a_long_head_is_read() -> None:
    policy = "img-src " + "https://cdn.example.org " * 8_000
    assert answered(PICTURE, Content_Security_Policy=policy) == PICTURE
    assert answered(PICTURE, **{f"X-{n}": "a" * 500 for n in range(300)}) == PICTURE


@pytest.mark.parametrize("status", [200, 203])
def test_a_file_that_a_proxy_changed_is_a_file(status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=PICTURE)

    assert fetched_from(answer, URL) == PICTURE
