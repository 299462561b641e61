"""Pictures of albums in a group for which no message has called the bot yet.

Only one message of an album has the words that call the bot, and it is not always the first. Until
it arrives, the others are held in memory for a few seconds.
"""

from __future__ import annotations

import time
from typing import Generic, TypeVar

T = TypeVar("T")
#: Seconds within which all of an album arrives.
TTL_SECONDS = 5.0
#: How many pictures are held.
MAX_PICTURES = 1_000


class PendingAlbums(Generic[T]):
    """Holds pictures by album."""

    def __init__(self) -> None:
        self._pictures: list[tuple[float, str, T]] = []

    def add(self, album: str, picture: T) -> None:
        """Hold one picture of an album; pictures that are too old are dropped."""
        now = time.monotonic()
        fresh = [entry for entry in self._pictures if entry[0] > now - TTL_SECONDS]
        self._pictures = [*fresh[-MAX_PICTURES:], (now, album, picture)]

    def pop(self, album: str) -> list[T]:
        """Remove the pictures of an album, and return them."""
        pictures = [picture for _, name, picture in self._pictures if name == album]
        self._pictures = [entry for entry in self._pictures if entry[1] != album]
        return pictures
