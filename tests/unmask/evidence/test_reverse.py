"""Links of reverse image search: for public addresses alone."""

from __future__ import annotations

import pytest

from unmask.evidence.reverse import ENGINES, search_links


def test_the_address_is_quoted_whole() -> None:
    links = search_links("https://example.org/a b.jpg?x=1&y=/#z")
    assert list(links) == [engine.name for engine in ENGINES]
    quoted = "https%3A%2F%2Fexample.org%2Fa%20b.jpg%3Fx%3D1%26y%3D%2F%23z"
    assert all(quoted in link and link.startswith("https://") for link in links.values())


@pytest.mark.parametrize(
    "url",
    [
        "",
        "data:image/png;base64,AA",
        "file:///etc/passwd",
        "blob:https://x.org/1",
        "http://printer/",
    ],
)
def test_no_engine_can_open_what_is_not_public(url: str) -> None:
    assert search_links(url) == {}
