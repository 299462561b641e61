"""How many bytes of pictures the server holds in memory, and whose they are."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from unmask.errors import UnmaskError

#: Requests that bring pictures at one time.
MAX_UPLOADS = 128
RETRY = 5


class Shares:
    """An amount that is shared out among callers.

    A caller takes more only while its own share, with that, is not larger than what is left free:
    one caller alone gets half, two get a third each, and something is left for the next who comes
    (dynamic thresholds, Choudhury and Hahne 1998).
    """

    def __init__(self, amount: int) -> None:
        self._free = amount
        self._held = Counter[str]()
        # Downloads take their bytes in a thread of their own.
        self._lock = threading.Lock()

    def take(self, caller: str, amount: int) -> bool:
        """Whether ``caller`` got that much more."""
        with self._lock:
            if self._held[caller] + amount > self._free - amount:
                return False
            self._free -= amount
            self._held[caller] += amount
            return True

    def give_back(self, caller: str, amount: int) -> None:
        """Give back what ``caller`` took."""
        with self._lock:
            self._free += amount
            self._held[caller] -= amount
            if not self._held[caller]:
                del self._held[caller]


class Holding:
    """The bytes of one picture in memory, from their arrival until they are stored."""

    def __init__(self, shares: Shares, caller: str) -> None:
        self._shares = shares
        self._caller = caller
        self._held = 0

    def take(self, count: int) -> None:
        """Count ``count`` more bytes; raises ``busy``."""
        if not self._shares.take(self._caller, count):
            raise _busy("More pictures are being sent than the server can hold.")
        self._held += count

    def release(self) -> None:
        """Give the bytes back; a second time changes nothing."""
        held, self._held = self._held, 0
        self._shares.give_back(self._caller, held)

    def __enter__(self) -> Holding:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class UploadMemory:
    """The memory for pictures that come in, and the number of requests that bring them."""

    def __init__(self, limit: int) -> None:
        self._bytes = Shares(limit)
        self._uploads = Shares(MAX_UPLOADS)

    @contextmanager
    def upload(self, caller: str) -> Iterator[None]:
        """Count one request of ``caller`` that brings pictures; raises ``busy``."""
        if not self._uploads.take(caller, 1):
            raise _busy("Too many pictures are being sent at one time.")
        try:
            yield
        finally:
            self._uploads.give_back(caller, 1)

    def holding(self, caller: str) -> Holding:
        """An account for the bytes of one picture."""
        return Holding(self._bytes, caller)


def _busy(why: str) -> UnmaskError:
    return UnmaskError("busy", f"{why} Try again in {RETRY} seconds.", retry_after=RETRY)
