"""Reverse image search: where else a picture is. Nothing here asks anybody.

A link tells the engine the picture's address, so it is offered for public addresses alone, and
never for a picture of ours: the id in its address is its secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit


@dataclass(frozen=True)
class Engine:
    """A search engine: the page where a person uploads a picture, and the address that searches
    for one at ``{url}``."""

    name: str
    upload: str
    search: str


ENGINES = (
    Engine(
        "Google Lens",
        "https://lens.google.com/",
        "https://lens.google.com/uploadbyurl?url={url}",
    ),
    Engine(
        "Bing",
        "https://www.bing.com/visualsearch",
        "https://www.bing.com/images/searchbyimage?cbir=ssbi&imgurl={url}",
    ),
    Engine(
        "Yandex",
        "https://yandex.com/images/",
        "https://yandex.com/images/search?url={url}&rpt=imageview",
    ),
    Engine("TinEye", "https://tineye.com/", "https://www.tineye.com/search?url={url}"),
    Engine(
        "Fact Check Explorer",
        "https://toolbox.google.com/factcheck/explorer/search/list:recent",
        "https://toolbox.google.com/factcheck/explorer/search/image_url:{url}",
    ),
)


def search_links(url: str) -> dict[str, str]:
    """An address for each engine, by its name, that searches for the picture at a public ``url``;
    none for an address that the engine could not open."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "." not in parts.hostname:
        return {}
    return {engine.name: engine.search.format(url=quote(url, safe="")) for engine in ENGINES}
