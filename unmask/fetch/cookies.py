"""The cookies of one download: a site that redirects to itself with a cookie gets it back.

They live as long as the chain of redirects, and go to the site that set them alone.
"""

from __future__ import annotations

from functools import cache
from http.cookies import Morsel

import aiohttp
from publicsuffixlist import PublicSuffixList
from yarl import URL


class ChainCookies:
    """The cookies of one chain. A cookie for a public suffix, such as co.uk, would be one for
    all sites below it: it is not kept."""

    def __init__(self) -> None:
        self._jar = aiohttp.CookieJar(unsafe=True)

    def keep(self, response: aiohttp.ClientResponse) -> None:
        """Keep the cookies that a response sets."""
        host = response.url.raw_host or ""
        kept = [
            (name, cookie) for name, cookie in response.cookies.items() if _may_set(cookie, host)
        ]
        self._jar.update_cookies(kept, response.url)

    def header(self, url: URL) -> dict[str, str]:
        """The header that sends a URL's site its cookies, as they came; empty without any."""
        cookies = self._jar.filter_cookies(url).values()
        text = "; ".join(f"{cookie.key}={cookie.coded_value}" for cookie in cookies)
        return {"Cookie": text} if text else {}


def _may_set(cookie: Morsel[str], host: str) -> bool:
    """Whether a host may set a cookie for its domain, as far as public suffixes go."""
    domain = cookie["domain"].strip(".").lower()
    return not domain or domain == host or not _suffixes().is_public(domain)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
