"""The process that reads Content Credentials: kept while there is work, and ended on any fault."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from unmask.evidence.credentials.child import ANSWER, REQUEST
from unmask.evidence.credentials.trust_list import list_date

#: Seconds that one file may take.
SECONDS = 10.0
#: Files that one process reads, so that nothing a library leaks adds up.
_MAX_FILES = 200
#: What an interpreter needs to start, but no token and no URL with a password.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
_MIME_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
    "HEIF": "image/heic",
}


class CredentialsReader:
    """Reads Content Credentials by a child process, which starts with the first file.

    ``trust_list`` is a file of the certificates, as PEM, whose holders' signatures are trusted;
    ``listed`` is its date. Serves several threads, one at a time.
    """

    def __init__(self, trust_list: Path | None = None) -> None:
        """Raises :class:`unmask.errors.SettingsError` where the trust list cannot be read."""
        self._trust_list = trust_list
        self.listed = list_date(trust_list) if trust_list else None
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._files = 0

    def read(self, data: bytes, kind: str) -> dict[str, Any]:
        """The library's report on a file of the format ``kind``, or ``{"error": code}``.

        The codes are ``none`` (no credentials), ``elsewhere`` (with the ``url`` where they lie),
        ``oversized``, ``unreadable``, and ``gave_up`` where the file took too much time or memory.
        """
        if kind not in _MIME_TYPES:
            return {"error": "none"}
        with self._lock:
            answer = self._ask(data, _MIME_TYPES[kind])
        return answer if answer is not None else {"error": "gave_up"}

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _ask(self, data: bytes, mime: str) -> dict[str, Any] | None:
        """The answer of the process; None where it ended, or was ended, before it answered."""
        process = self._running()
        timer = threading.Timer(SECONDS, process.kill)
        timer.start()
        try:
            answer = _exchange(process, data, mime.encode())
        finally:
            timer.cancel()
        self._files += 1
        if answer is None or self._files >= _MAX_FILES:
            self._end()
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        command = [sys.executable, "-m", "unmask.evidence.credentials.child"]
        self._process = subprocess.Popen(  # noqa: S603 - our own module, a path of the settings
            [*command, *([str(self._trust_list)] if self._trust_list else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        self._files = 0
        return self._process

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()
        self._process = None


def _exchange(process: subprocess.Popen[bytes], data: bytes, mime: bytes) -> dict[str, Any] | None:
    if process.stdin is None or process.stdout is None:
        return None
    try:
        process.stdin.write(REQUEST.pack(len(mime), len(data)) + mime)
        process.stdin.write(data)
        process.stdin.flush()
        head = process.stdout.read(ANSWER.size)
        (length,) = ANSWER.unpack(head) if len(head) == ANSWER.size else (0,)
        answer = json.loads(process.stdout.read(length)) if length else None
    except (OSError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None
