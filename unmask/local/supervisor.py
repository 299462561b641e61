"""Keeps processes running: starts them again with a back-off, and ends them in order.

It does not know what the processes do; :mod:`unmask.local.up` names them.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from unmask.errors import UnmaskError

#: Seconds before a process is started again: doubled at each end, up to the longest.
FIRST_PAUSE, MAX_PAUSE = 0.5, 30.0
#: Seconds after which a process counts as steady: its next pause is the first one again.
STEADY = 60.0
_PR_SET_PDEATHSIG = 1

Tell = Callable[[str], None]


@dataclass
class Child:
    """A process that is kept running while :meth:`running` is entered.

    ``grace`` is how many seconds it may take to end after SIGTERM. Until ``proven`` is set, an end
    of its own accord counts as a fault that another start would not mend. The first line of its
    standard output is put into ``first_lines`` at each start.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    tell: Tell
    grace: float
    proven: bool = False
    process: Process | None = None
    first_lines: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        """Run it until the end of the block; the task ends early only with an exception.

        That is :class:`UnmaskError` ``not_ready``: it ended before it was proven.
        """
        keeper = asyncio.create_task(self._keep())
        try:
            yield keeper
        finally:
            keeper.cancel()
            await asyncio.wait([keeper])
            await self._stop()

    def kill(self) -> None:
        """End it at once, if it runs."""
        self._signal(signal.SIGKILL)

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while True:
            start = time.monotonic()
            status = await self._run()
            if status >= 0 and not self.proven:
                message = f"The {self.name} ended before it was ready ({_ended(status)})."
                raise UnmaskError("not_ready", message, status=status)
            pause = FIRST_PAUSE if time.monotonic() - start > STEADY else pause
            self.tell(f"the {self.name} ended ({_ended(status)}); again in {pause:g} s")
            await asyncio.sleep(pause)
            pause = min(2 * pause, MAX_PAUSE)

    async def _run(self) -> int:
        """One life of the process; its exit status, negative where a signal ended it."""
        # A session of its own: Ctrl-C must reach the supervisor alone, which ends all in order.
        self.process = await asyncio.create_subprocess_exec(
            *self.command,
            env=self.environment,
            stdout=PIPE,
            start_new_session=True,
            preexec_fn=ending_with_parent(signal.SIGKILL),
        )
        listener = asyncio.create_task(self._listen(self.process))
        try:
            return await self.process.wait()
        finally:
            listener.cancel()

    async def _listen(self, process: Process) -> None:
        """Until the process closes its output: a full pipe would block it."""
        if process.stdout is None:
            return
        if line := await process.stdout.readline():
            self.first_lines.put_nowait(line.decode(errors="replace").strip())
        while await process.stdout.read(65_536):
            pass

    async def _stop(self) -> None:
        if self.process is None:
            return
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), self.grace)
        except TimeoutError:
            self.tell(f"the {self.name} did not end within {self.grace:g} s and is killed")
            self.kill()
            await self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)


async def first_ended(tasks: Sequence[Awaitable[object]]) -> None:
    """Wait until one of ``tasks`` ends; raises what it raised."""
    ended, _ = await asyncio.wait(
        [asyncio.ensure_future(task) for task in tasks], return_when=asyncio.FIRST_COMPLETED
    )
    for task in ended:
        task.result()


def ending_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """A function that a new process calls so that it gets signal ``number`` when its parent ends.

    Even a parent that was killed with -9 then leaves no process behind. To the kernel the parent
    is the *thread* that started the process: call this from the main thread. None where the system
    cannot do this: only Linux can.
    """
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # it ended before this call
            os._exit(1)

    return tie


def _ended(status: int) -> str:
    return f"killed by signal {-status}" if status < 0 else f"status {status}"
