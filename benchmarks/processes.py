"""The processes below one, what they hold, and how they are put to rest. Linux only."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path


def descendants(root: int) -> list[int]:
    """The processes below ``root``."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = status(int(folder.name), "PPid")
        except (OSError, LookupError):
            continue  # it has just ended, or is the kernel's own
    below = [root]
    for pid in below:
        below += [child for child, parent in parents.items() if parent == pid]
    return below[1:]


def started(stack: ExitStack, server: AbstractContextManager[str]) -> tuple[str, list[int]]:
    """The URL of a server that is started, and the ids of its processes."""
    before = set(descendants(os.getpid()))
    url = stack.enter_context(server)
    return url, [pid for pid in descendants(os.getpid()) if pid not in before]


def resident(pid: int) -> int:
    """Bytes of memory that a process holds now."""
    return status(pid, "VmRSS")


def status(pid: int, name: str) -> int:
    """A figure of /proc/PID/status; sizes in bytes. Raises LookupError where it is not told."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            value, *unit = line.split()[1:]
            return int(value) * (1024 if unit else 1)
    raise LookupError(name)


@contextmanager
def at_rest(pids: Iterable[int]) -> Iterator[None]:
    """Stop processes for a while: one that looks for work again and again, as LitServe's do, takes
    time from what is measured beside it."""
    pids = tuple(pids)
    _send(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        _send(pids, signal.SIGCONT)


def _send(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
