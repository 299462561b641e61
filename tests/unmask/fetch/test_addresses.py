"""Addresses are asked for as their author wrote them, or as a browser would mend them."""

from __future__ import annotations

import pytest
from aiohttp import web

from tests.unmask.fetch.hostile import PICTURE, fetched_from
from unmask.fetch import checked_url, next_url

#: Paths whose bytes a signature may cover.
AS_WRITTEN = [
    "/a.jpg?X-Amz-Signature=rX7AnN6H%2FXCC2w%3D&X-Amz-Date=2026%2f11",
    "/http%3A%2F%2Fa.org%2Fb.jpg",
    "/a%28b%29(c).jpg",
    "/a.jpg?c=1%2C2,3&d=%7e~&e=+%20+",
    "/a.jpg?b=1&&c&=d",
    "/a;b=c/%41%e2%82%ac.jpg",
    "/thumb/300x200/filters:quality(80)/a@2x.jpg",
    "/a|b[d]/e.jpg?f=[g]|h",
    "/%zz%.jpg?%",
    "/a//b/.jpg",
]


@pytest.mark.parametrize("path", AS_WRITTEN)
@pytest.mark.parametrize("by_redirect", [False, True])
def test_an_address_is_asked_as_it_was_given(path: str, by_redirect: bool) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        if request.raw_path == "/hop":
            return web.Response(status=302, headers={"Location": path})
        asked.append(request.raw_path)
        return web.Response(body=PICTURE)

    start = "/hop" if by_redirect else path
    assert fetched_from(answer, f"http://pictures.example.org:PORT{start}") == PICTURE
    assert asked == [path]


@pytest.mark.parametrize(
    ("pasted", "asked"),
    [
        (" https://example.org/a.jpg\n", "https://example.org/a.jpg"),
        ("\u200bhttps://example.org/a.jpg\ufeff", "https://example.org/a.jpg"),
        ("https://example.org/a\n  .jpg", "https://example.org/a%20%20.jpg"),
        ("https://exam\r\nple.org/a\tb.jpg", "https://example.org/ab.jpg"),
        ("https://example.org/a b.jpg?c d", "https://example.org/a%20b.jpg?c%20d"),
        ('https://example.org/<a>.jpg?"b"', "https://example.org/%3Ca%3E.jpg?%22b%22"),
        ("https://example.org/ü.jpg?ü#ü", "https://example.org/%C3%BC.jpg?%C3%BC"),
        ("https://example.org/a\u00a0b", "https://example.org/a%C2%A0b"),
        ("https:\\\\example.org\\a.jpg", "https://example.org/a.jpg"),
        ("HTTPS://EXAMPLE.ORG/A.JPG", "https://example.org/A.JPG"),
        ("https://example.org/a/../b/./c.jpg", "https://example.org/b/c.jpg"),
        ("https://straße.example.org/", "https://xn--strae-oqa.example.org/"),
        ("https://例え.テスト.example.org/", "https://xn--r8jz45g.xn--zckzah.example.org/"),
        ("https://bücher。example.org/", "https://xn--bcher-kva.example.org/"),
        ("https://exa%6dple.org/", "https://example.org/"),
        ("https://example.org/" + "a" * 12_000, "https://example.org/" + "a" * 12_000),
    ],
)
def test_what_people_paste_is_mended_as_browsers_do(pasted: str, asked: str) -> None:
    assert str(checked_url(pasted)) == asked


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("c d.jpg", "https://example.org/a/c%20d.jpg"),
        ("//cdn.example.org/c.jpg", "https://cdn.example.org/c.jpg"),
        ("?c=%2F", "https://example.org/a/b?c=%2F"),
        (" /c.jpg ", "https://example.org/c.jpg"),
        ("/\udcfc.jpg", "https://example.org/%FC.jpg"),
        ("/ü.jpg", "https://example.org/%C3%BC.jpg"),
        ("", "https://example.org/a/b"),
    ],
)
def test_a_redirect_is_read_as_browsers_do(location: str, target: str) -> None:
    assert str(next_url(checked_url("https://example.org/a/b#c"), location)) == target
