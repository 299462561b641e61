"""An event loop in a thread of its own, for tests that block."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, TypeVar

Result = TypeVar("Result")


class Loop:
    """Runs coroutines elsewhere and waits for what they return."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def run(self, work: Coroutine[Any, Any, Result], seconds: float = 60) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def call(self, function: Any, *arguments: Any) -> None:
        self._loop.call_soon_threadsafe(function, *arguments)


@contextmanager
def running_loop() -> Iterator[Loop]:
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield Loop(loop)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()
