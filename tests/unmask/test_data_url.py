"""``data:`` URLs are decoded as browsers do, under the byte limit."""

from __future__ import annotations

import asyncio
import base64
from urllib.parse import quote

import pytest

from unmask.data_url import MAX_ESCAPES, decode_data_url, is_data_url, longest_data_url
from unmask.errors import UnmaskError
from unmask.fetch import Fetcher

DATA = bytes(range(256)) + b"+/?"
CODED = base64.b64encode(DATA).decode()


@pytest.mark.parametrize(
    "url",
    [
        f"data:image/jpeg;base64,{CODED}",
        f"data:;base64,{CODED}",
        f"  DATA:image/png;charset=x;BASE64 ,{CODED}\n",
        f"data:image/jpeg;base64,{CODED.rstrip('=')}",
        f"data:image/jpeg;base64,{quote(CODED, safe='')}",
        f"data:image/jpeg;base64,{CODED[:50]}\r\n {CODED[50:]}",
        f"data:image/jpeg;base64,{CODED}#fragment",
        f"data:,{quote(DATA)}",
        f"data:text/html,{quote(DATA, safe='')}",
    ],
)
def test_a_data_url_holds_the_file(url: str) -> None:
    assert is_data_url(url)
    assert decode_data_url(url, 1_000) == DATA


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("data:", "bad_url"),
        ("data:image/jpeg;base64", "bad_url"),
        ("data:image/jpeg;base64,A", "bad_url"),
        ("data:image/jpeg;base64,AA=A", "bad_url"),
        ("data:image/jpeg;base64,ÄÄÄÄ", "bad_url"),
        ("data:image/jpeg;base64,AA-_", "bad_url"),
        ("data:," + "%41" * (MAX_ESCAPES + 1), "bad_url"),
        ("data:image/jpeg;base64," + "A" * 2_000, "too_many_bytes"),
        ("data:," + "A" * 1_001, "too_many_bytes"),
    ],
)
def test_a_damaged_or_large_data_url_is_refused(url: str, code: str) -> None:
    with pytest.raises(UnmaskError) as error:
        decode_data_url(url, 1_000)
    assert error.value.code == code


def test_the_longest_data_url_has_room_for_a_picture_of_the_limit() -> None:
    data = b"\xff\xef" * 500_000
    assert len("data:image/jpeg;base64," + base64.b64encode(data).decode()) <= longest_data_url(
        len(data)
    )


def test_the_fetcher_reads_it_without_a_connection() -> None:
    async def attempt() -> bytes:
        async with Fetcher(1_000) as fetcher:
            return await fetcher.fetch(f" data:image/jpeg;base64,{CODED}")

    assert asyncio.run(attempt()) == DATA
