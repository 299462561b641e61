"""A site gets its cookies back within one chain of redirects, and no other site does."""

from __future__ import annotations

import pytest
from aiohttp import web

from tests.unmask.fetch.hostile import PICTURE, fetched_from


def chain(*steps: tuple[str, str]) -> tuple[bytes | str, list[str]]:
    """What a chain of redirects yields, and the cookies that its last address was sent. A step is
    the host that answers and the ``Set-Cookie`` that it sends on the way to the next."""
    sent: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        number = int(request.path[1:])
        if number == len(steps) - 1:
            sent.append(request.headers.get("Cookie", ""))
            return web.Response(body=PICTURE)
        host, port = steps[number + 1][0], request.url.port
        headers = {"Location": f"http://{host}:{port}/{number + 1}"}
        if steps[number][1]:
            headers["Set-Cookie"] = steps[number][1]
        return web.Response(status=302, headers=headers)

    return fetched_from(answer, f"http://{steps[0][0]}:PORT/0"), sent


@pytest.mark.parametrize(
    ("cookie", "then", "sent"),
    [
        ("a=b", "www.example.org", "a=b"),
        ('a="b c"; Path=/; HttpOnly', "www.example.org", 'a="b c"'),
        ("a=b; Domain=example.org", "cdn.example.org", "a=b"),
        ("a=b; Domain=.example.org", "example.org", "a=b"),
        ("a=b", "cdn.example.org", ""),
        ("a=b", "www.example.net", ""),
        ("a=b; Domain=example.net", "www.example.net", ""),
        ("a=b; Domain=org", "www.example.net", ""),
        ("a=b; Domain=org", "other.org", ""),
        ("a=b; Domain=ORG", "other.org", ""),
        ("a=b; Path=/elsewhere", "www.example.org", ""),
        ("a=b; Secure", "www.example.org", ""),
        ("a=b; Max-Age=0", "www.example.org", ""),
    ],
)
def test_a_cookie_returns_to_its_site_alone(cookie: str, then: str, sent: str) -> None:
    result, cookies = chain(("www.example.org", cookie), (then, ""))
    assert (result, cookies) == (PICTURE, [sent])


def test_a_public_suffix_is_no_site() -> None:
    result, cookies = chain(("a.co.uk", "a=b; Domain=co.uk"), ("b.co.uk", ""))
    assert (result, cookies) == (PICTURE, [""])


def test_a_chain_over_another_site_comes_back_with_the_first_site_s_cookies() -> None:
    """As over a page that asks for consent."""
    steps = (("www.example.org", "a=b"), ("consent.example.net", "c=d"), ("www.example.org", ""))
    assert chain(*steps) == (PICTURE, ["a=b"])


def test_the_next_download_begins_without_cookies() -> None:
    assert chain(("www.example.org", "a=b"), ("www.example.org", ""))[1] == ["a=b"]
    assert chain(("www.example.org", ""), ("www.example.org", ""))[1] == [""]
