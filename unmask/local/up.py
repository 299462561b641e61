"""The whole service on one machine: embedded Valkey, one worker, the server.

Each is a process of its own, so that a fault in one leaves the others running. They end in the
order in which nothing is lost: the server takes no more, the worker finishes its batch, Valkey
writes its last data.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unmask.environment import make_files_private, make_private_folder
from unmask.errors import SettingsError
from unmask.local.child_environment import server_environment, worker_environment
from unmask.local.supervisor import Child, ending_with_parent, first_ended
from unmask.queue.heartbeats import worker_alive
from unmask.queue.records import model_tag
from unmask.queue.valkey import EmbeddedValkey, is_alive
from unmask.settings import Settings

#: Seconds that the server may take to end: it lets requests finish for ten.
SERVER_GRACE = 20.0
#: Seconds that the worker may take beyond the longest batch.
WORKER_GRACE = 10.0
#: Seconds between two checks whether the worker has its model, and whether Valkey runs.
WORKER_INTERVAL, VALKEY_INTERVAL = 0.05, 1.0


def serve(settings: Settings) -> None:
    """Run everything until SIGTERM, SIGINT or SIGHUP; prints ``ready http://HOST:PORT``.

    A second signal ends it at once. Call it from the main thread of a process that has no other.
    Raises :class:`SettingsError` for a folder in use or a port that is taken, and
    :class:`UnmaskError` ``model_missing``, ``model_mismatch``, ``queue_unavailable`` or
    ``not_ready`` (the server or the worker ended, and printed the reason).
    """
    make_files_private()
    model_tag(settings.model)  # Before anything is started: without a model nothing can be.
    _try_to_listen(settings)
    with _claim(settings.data.expanduser().absolute()):
        if settings.redis_url:
            asyncio.run(_supervise(settings, settings.redis_url))
            return
        valkey = EmbeddedValkey(settings.data, ending_with_parent(signal.SIGTERM))
        try:
            asyncio.run(_supervise(settings, valkey.ensure(), valkey))
        finally:
            valkey.stop()


async def _supervise(settings: Settings, url: str, valkey: EmbeddedValkey | None = None) -> None:
    own = {"UNMASK_REDIS_URL": url}
    worker_grace = settings.job_timeout + WORKER_GRACE
    environments = worker_environment(settings) | own, server_environment(settings) | own
    worker = Child("worker", _command("worker"), environments[0], _tell, worker_grace)
    server = Child("server", _command("server"), environments[1], _tell, SERVER_GRACE)
    stopping = asyncio.create_task(_until_signal(worker, server))
    async with worker.running() as working, server.running() as serving:
        lasting = [stopping, working, serving]
        if valkey:
            lasting.append(asyncio.create_task(_watch(valkey)))
        ready = asyncio.create_task(_announce(server, worker, url))
        await first_ended([*lasting, ready])
        if ready.done():
            await first_ended(lasting)


async def _announce(server: Child, worker: Child, url: str) -> None:
    """Print the ready line once the server listens and the worker has its model."""
    line = await server.first_lines.get()
    host = socket.gethostname()
    while not (worker.process and await worker_alive(url, host, worker.process.pid)):
        await asyncio.sleep(WORKER_INTERVAL)
    worker.proven = server.proven = True
    # Port 0 was any free one; a server that is started again must be found where this one was.
    server.environment = {**server.environment, "UNMASK_PORT": line.rpartition(":")[2]}
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _until_signal(*children: Child) -> None:
    """Wait for the first signal; a second one kills the processes."""
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            for child in children:
                child.kill()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    await stop.wait()


async def _watch(valkey: EmbeddedValkey) -> None:
    """Start Valkey again whenever it ends. That blocks the loop: all others wait for it too."""
    while True:
        pid = valkey.pid
        while pid and is_alive(pid):
            await asyncio.sleep(VALKEY_INTERVAL)
        if pid:
            _tell("Valkey ended; starting it again")
        valkey.ensure()


def _command(part: str) -> list[str]:
    return [sys.executable, "-P", "-m", "unmask", part]


@contextmanager
def _claim(data: Path) -> Iterator[None]:
    """Hold the lock on the data folder; raises :class:`SettingsError` if another process does."""
    try:
        make_private_folder(data)
        file = (data / "up.lock").open("a+")
    except OSError as fault:
        raise SettingsError(f"UNMASK_DATA={data}: {fault.strerror}.") from fault
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            file.seek(0)
            other = f"another `unmask up` runs on this folder (process {file.read().strip()})"
            raise SettingsError(f"UNMASK_DATA={data}: {other}.") from fault
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _try_to_listen(settings: Settings) -> None:
    """Raises :class:`SettingsError` where the server could not listen."""
    place = f"UNMASK_HOST={settings.host}, UNMASK_PORT={settings.port}"
    try:
        addresses = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = addresses[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except OSError as fault:
        why = f"{fault.strerror}"
        if fault.errno == errno.EADDRINUSE:
            why = "the port is taken; stop what listens there, or set UNMASK_PORT to another"
        raise SettingsError(f"{place}: {why}.") from fault


def _tell(message: str) -> None:
    sys.stderr.write(f"unmask up: {message}\n")
    sys.stderr.flush()
