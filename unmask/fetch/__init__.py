"""A URL to bytes, without being led inside the network; each caller gets a share of the downloads.

A caller that names a URL may try to make this machine talk to machines that only it can reach
(server-side request forgery). Three gates stand in the way, each enough alone for most attacks:
the URL itself (:mod:`unmask.fetch.addresses`), every answer of the name service
(:mod:`unmask.fetch.names`), and every address at the moment a socket is made for it
(:mod:`unmask.fetch.gate`). Redirects come back to the first gate (:mod:`unmask.fetch.download`).
"""

from unmask.fetch.addresses import checked_url, next_url
from unmask.fetch.download import MAX_REDIRECTS
from unmask.fetch.fetcher import Fetcher
from unmask.fetch.gate import is_public
from unmask.fetch.post import Posted, Poster

__all__ = ["MAX_REDIRECTS", "Fetcher", "Posted", "Poster", "checked_url", "is_public", "next_url"]
