"""The bytes of an answer: counted as they come, and unpacked under the same limit.

The type that a site claims is not believed: many scripts send a picture as a page, and every
browser shows it. Nor is its encoding, where the bytes are a picture as they are.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

import aiohttp
import brotli
from backports import zstd

from unmask.errors import WEB_PAGE, UnmaskError
from unmask.fetch.refusals import too_many_bytes, unreachable
from unmask.images.sniff import sniff

CHUNK = 65_536
#: Bytes that are unpacked in one step.
STEP = 1 << 20
#: Encodings within each other.
MAX_LAYERS = 3
#: The window that browsers grant, as a power of two (RFC 9659).
ZSTD_WINDOW = 23
#: Bytes of a page that are read before it is given up: a picture's format shows within them.
ENOUGH_TO_TELL = 1_024
GZIP = b"\x1f\x8b"
PAGES = frozenset({"text/html", "application/xhtml+xml"})

#: Counts bytes that are kept; raises if they are too many.
Take = Callable[[int], None]
Unpack = Callable[[bytes], Iterator[bytes]]


async def read_body(response: aiohttp.ClientResponse, limit: int, take: Take) -> bytes:
    """The file that a good answer holds; ``take`` counts its bytes, packed and unpacked.

    Raises ``too_many_bytes`` beyond ``limit``, packed or unpacked; ``not_a_picture`` for a web
    page, ``url_unreachable`` for what cannot be unpacked.
    """
    if (response.content_length or 0) > limit:
        raise too_many_bytes(limit)
    layers = _layers(response.headers.getall("Content-Encoding", []))
    data = _unpacked(await _packed(response, limit, take, bool(layers)), layers, limit, take)
    _refuse_page(response.content_type, data)
    return data


async def _packed(
    response: aiohttp.ClientResponse, limit: int, take: Take, is_packed: bool
) -> bytes:
    body = bytearray()
    is_told = is_packed
    try:
        async for chunk in response.content.iter_chunked(CHUNK):
            body += chunk
            if len(body) > limit:
                raise too_many_bytes(limit)
            take(len(chunk))
            if not is_told and len(body) >= ENOUGH_TO_TELL:
                is_told = True
                _refuse_page(response.content_type, bytes(body[:ENOUGH_TO_TELL]))
        return bytes(body)
    finally:
        # An error keeps this frame, and with it the bytes, until cycles are collected.
        body.clear()


def _layers(headers: list[str]) -> list[Unpack]:
    """How to unpack a body, outermost first. As for browsers, an unknown encoding is none."""
    names = [name.strip().lower() for name in ",".join(headers).split(",")]
    return [UNPACK[name] for name in reversed(names) if name in UNPACK]


def _unpacked(data: bytes, layers: list[Unpack], limit: int, take: Take) -> bytes:
    if len(layers) > MAX_LAYERS:
        raise unreachable("The site packed the picture too often.")
    for unpack in layers:
        if not data or _is_picture(data):
            break
        out = bytearray()
        try:
            for piece in unpack(data):
                out += piece
                if len(out) > limit:
                    raise too_many_bytes(limit)
                take(len(piece))
        except (zlib.error, brotli.error, zstd.ZstdError, EOFError) as error:
            raise unreachable("The site sent it packed, and it cannot be unpacked.") from error
        data = bytes(out)
    return data


def _refuse_page(content_type: str, data: bytes) -> None:
    if data and content_type in PAGES and not _is_picture(data):
        raise UnmaskError(
            "not_a_picture",
            "The URL leads to a web page, not to a picture on its own.",
            reason=WEB_PAGE,
        )


def _is_picture(data: bytes) -> bool:
    try:
        sniff(data)
    except UnmaskError as error:
        return error.code != "not_a_picture"
    return True


def _gunzip(data: bytes) -> Iterator[bytes]:
    if not data.startswith(GZIP):
        raise zlib.error("not gzip")
    while data.startswith(GZIP):  # Members may follow each other; other bytes are left alone.
        member = zlib.decompressobj(31)
        yield from _inflated(member, data)
        data = member.unused_data


def _inflate(data: bytes) -> Iterator[bytes]:
    # "deflate" is a zlib stream (RFC 9110), but some servers send it without that wrapping.
    is_zlib = data[0] & 15 == 8 and int.from_bytes(data[:2], "big") % 31 == 0
    yield from _inflated(zlib.decompressobj(15 if is_zlib else -15), data)


def _inflated(stream: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    while data and not stream.eof:
        yield stream.decompress(data, STEP)
        data = stream.unconsumed_tail


def _unbrotli(data: bytes) -> Iterator[bytes]:
    stream = brotli.Decompressor()
    yield stream.process(data, output_buffer_limit=STEP)
    while not stream.is_finished() and not stream.can_accept_more_data():
        yield stream.process(b"", output_buffer_limit=STEP)


def _unzstd(data: bytes) -> Iterator[bytes]:
    while data:
        frame = zstd.ZstdDecompressor(
            options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW}
        )
        yield frame.decompress(data, STEP)
        while not frame.eof and not frame.needs_input:
            yield frame.decompress(b"", STEP)
        data = frame.unused_data if frame.eof else b""


UNPACK: dict[str, Unpack] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
