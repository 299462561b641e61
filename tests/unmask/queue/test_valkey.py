from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from unmask.errors import UnmaskError
from unmask.queue.clients import open_client
from unmask.queue.valkey import MAX_SOCKET_PATH, EmbeddedValkey
from unmask.queue.valkey import _binary as binary


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(tmp_path / "with a space")
    yield server
    server.stop()


def test_starts_once_and_is_reused(valkey: EmbeddedValkey) -> None:
    assert valkey.pid is None and not valkey.ping()
    url = valkey.ensure()
    pid = valkey.pid
    assert pid is not None
    assert EmbeddedValkey(valkey.directory.parent).ensure() == url
    assert valkey.pid == pid
    assert open_client(url).config_get("appendonly") == {"appendonly": "yes"}


def test_many_start_it_at_once_and_one_does(valkey: EmbeddedValkey) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=valkey.ensure) for _ in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    log = (valkey.directory / "log").read_text()
    assert log.count("Ready to accept connections") == 1


def test_a_kill_loses_nothing(valkey: EmbeddedValkey) -> None:
    client = open_client(valkey.ensure())
    for number in range(1000):
        client.set(f"key-{number}", number)
    pid = valkey.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    valkey.ensure()
    assert valkey.pid != pid
    assert client.dbsize() == 1000


def test_stop_ends_it_in_order(valkey: EmbeddedValkey) -> None:
    open_client(valkey.ensure()).set("a", 1)
    valkey.stop()
    assert not valkey.ping() and not valkey.socket.exists()
    valkey.stop()
    assert open_client(valkey.ensure()).get("a") == "1"


def test_outlives_who_started_it_and_its_terminal(valkey: EmbeddedValkey) -> None:
    code = (
        "import sys, pathlib; from unmask.queue.valkey import EmbeddedValkey;"
        "EmbeddedValkey(pathlib.Path(sys.argv[1])).ensure()"
    )
    command = [sys.executable, "-c", code, str(valkey.directory.parent)]
    subprocess.run(command, check=True, timeout=120)
    pid = valkey.pid
    assert pid is not None
    assert os.getsid(pid) != os.getsid(0), "Ctrl-C would reach the server"


def test_is_this_users_alone(valkey: EmbeddedValkey) -> None:
    valkey.ensure()
    assert valkey.directory.stat().st_mode & 0o777 == 0o700
    assert valkey.socket.stat().st_mode & 0o777 == 0o600


def test_it_gets_no_secret_of_the_environment(
    valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TELEGRAM_TOKEN", "of-somebody-else")
    program = tmp_path / "valkey-server"
    # Valkey itself writes its title over its environment.
    program.write_text(f'#!/bin/sh\nenv > {tmp_path}/environment\nexec "{binary()}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr("unmask.queue.valkey._binary", lambda: program)
    valkey.ensure()
    environment = (tmp_path / "environment").read_text()
    assert "PATH=" in environment and "of-somebody-else" not in environment


def test_a_long_path_has_its_socket_elsewhere(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / ("long" * 30))
    assert len(os.fsencode(server.socket)) <= MAX_SOCKET_PATH
    assert server.socket != EmbeddedValkey(tmp_path / ("long" * 31)).socket
    try:
        assert open_client(server.ensure()).ping()
        assert server.socket.parent.stat().st_mode & 0o777 == 0o700
    finally:
        server.stop()
        server.socket.parent.rmdir()


def test_what_keeps_it_from_starting_is_told(
    valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unmask.queue.valkey._MAX_MEMORY", "nonsense")
    with pytest.raises(UnmaskError) as refused:
        valkey.ensure()
    assert refused.value.code == "queue_unavailable"
    assert "log" in refused.value.detail


def test_a_server_that_hangs_gets_no_second_one_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    valkey = EmbeddedValkey(tmp_path)
    valkey.ensure()
    pid = valkey.pid
    assert pid is not None
    monkeypatch.setattr("unmask.queue.valkey.START_SECONDS", 0.1)
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(UnmaskError, match="does not answer"):
            EmbeddedValkey(tmp_path).ensure()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert EmbeddedValkey(tmp_path).ensure() == valkey.url
    assert valkey.pid == pid
    valkey.stop()
