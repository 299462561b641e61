"""Whose download is next: a few at one time, shared out among the callers."""

from __future__ import annotations

import asyncio
import math
from collections import Counter, deque

from unmask.errors import UnmaskError

#: Downloads at one time.
SLOTS = 32
#: Downloads that may wait for a turn: of one caller, and of all.
MAX_WAITING_OF_CALLER = 32
MAX_WAITING = 256


class Turns:
    """Slots for downloads.

    A caller takes one more slot only while fewer are its own than are free. One caller alone gets
    half of them, two get a third each, and one share is always left for the next who comes
    (dynamic thresholds, Choudhury and Hahne 1998). A turn that ends goes to the waiting caller
    that holds the fewest.
    """

    def __init__(self, slots: int = SLOTS) -> None:
        self._free = slots
        self._held = Counter[str]()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def take(self, caller: str, seconds: float) -> None:
        """Wait for a turn; raises ``busy`` where too many wait, or after ``seconds``."""
        if caller not in self._waiting and self._may_take(caller):
            self._grant(caller)
            return
        waiting = self._waiting.get(caller, ())
        if len(waiting) >= MAX_WAITING_OF_CALLER or self._all_waiting() >= MAX_WAITING:
            raise _busy(seconds)
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(caller, deque()).append(turn)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException as error:
            self._withdraw(caller, turn)
            if isinstance(error, TimeoutError):
                raise _busy(seconds) from error
            raise

    def release(self, caller: str) -> None:
        """End a turn of ``caller``, and grant those that are free now."""
        self._free += 1
        self._held[caller] -= 1
        if not self._held[caller]:
            del self._held[caller]
        self._grant_waiting()

    def _all_waiting(self) -> int:
        return sum(map(len, self._waiting.values()))

    def _may_take(self, caller: str) -> bool:
        return self._held[caller] < self._free

    def _grant(self, caller: str) -> None:
        self._free -= 1
        self._held[caller] += 1

    def _grant_waiting(self) -> None:
        while self._waiting:
            # The first of those with the fewest: a dictionary keeps the order in which they came.
            caller = min(self._waiting, key=self._held.__getitem__)
            if not self._may_take(caller):
                return
            turns = self._waiting[caller]
            turn = turns.popleft()
            # Whoever waits on goes to the end of the line.
            del self._waiting[caller]
            if turns:
                self._waiting[caller] = turns
            if not turn.done():  # Else its download was cancelled a moment ago.
                self._grant(caller)
                turn.set_result(None)

    def _withdraw(self, caller: str, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():
            self.release(caller)  # It was granted in the moment in which the wait ended.
            return
        turns = self._waiting.get(caller)
        if turns is not None and turn in turns:
            turns.remove(turn)
            if not turns:
                del self._waiting[caller]


def _busy(seconds: float) -> UnmaskError:
    wait = max(1, math.ceil(seconds))
    return UnmaskError(
        "busy", f"Many addresses are being fetched. Try again in {wait} seconds.", retry_after=wait
    )
