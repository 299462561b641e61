"""Faults on demand: what goes wrong between a bot and Telegram."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.bot.telegram.requests import Call


@dataclass
class Fault:
    """The next ``times`` calls of ``method`` for which ``when`` is true fail.

    ``kind``: ``retry_after`` (429, ``value`` seconds), ``status`` (an answer with that code and no
    effect), ``migrated`` (the group has the id ``value`` now), ``drop_before`` and ``drop_after``
    (the connection ends without an answer, without or with the effect), ``slow`` (effect and answer
    come ``value`` seconds late), ``hold`` (they wait until ``released`` is set), ``hold_answer``
    (the answer alone waits).
    """

    method: str
    kind: str
    value: float = 0
    times: int = 1
    when: Callable[[Call], bool] = lambda call: True
    met: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)


class Faults:
    """The faults to come. ``file`` stands for the method of a download."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(
        self,
        method: str,
        kind: str,
        value: float = 0,
        *,
        times: int = 1,
        when: Callable[[Call], bool] = lambda call: True,
    ) -> Fault:
        fault = Fault(method, kind, value, times, when)
        self.waiting.append(fault)
        return fault

    def next(self, call: Call) -> Fault | None:
        """The fault of this call, if any; each is used up."""
        for fault in self.waiting:
            named = fault.method == call.method
            any_ = fault.method == "*" and call.method not in ("getUpdates", "file")
            if (named or any_) and fault.times and fault.when(call):
                fault.times -= 1
                fault.met += 1
                return fault
        return None

    def clear(self) -> None:
        """Remove all faults; calls that are held go on."""
        for fault in self.waiting:
            fault.times = 0
            fault.released.set()
        self.waiting.clear()
