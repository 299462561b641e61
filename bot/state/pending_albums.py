"""Pictures of a group's albums for which nobody has asked (yet).

One message of an album has the words that ask, not always the first; only then do its others
belong to the question. They are held for a moment, in memory alone.
"""

from __future__ import annotations

import time
from typing import Generic, TypeVar

T = TypeVar("T")
#: Seconds within which all of an album comes, and most pictures held.
HELD_SECONDS, MOST = 5.0, 1_000


class Unasked(Generic[T]):
    """Holds what came, by album."""

    def __init__(self) -> None:
        self._held: list[tuple[float, str, T]] = []

    def hold(self, album: str, what: T) -> None:
        """Hold one picture of an album."""
        now = time.monotonic()
        fresh = [entry for entry in self._held if entry[0] > now - HELD_SECONDS]
        self._held = [*fresh[-MOST:], (now, album, what)]

    def take(self, album: str) -> list[T]:
        """What is held of an album; it is not held any more."""
        found = [what for _, name, what in self._held if name == album]
        self._held = [entry for entry in self._held if entry[1] != album]
        return found
