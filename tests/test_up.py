"""``unmask up`` as real processes: from the ready line to the last process gone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.server.server_process import photo

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

ROOT = Path(__file__).parents[1]
Make = Callable[..., "Up"]


class Up:
    """One ``unmask up`` on a data folder."""

    def __init__(self, data: Path, model: Path, **more: str) -> None:
        settings = {"UNMASK_DATA": str(data), "UNMASK_MODEL": str(model), "UNMASK_PORT": "0"}
        self.data = data
        self.process = subprocess.Popen(
            [sys.executable, "-m", "unmask", "up"],
            cwd=ROOT,
            env=_environment() | {"UNMASK_THREADS": "1"} | settings | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.url = ""

    def ready(self) -> Up:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().split()
        assert line and line[0] == "ready", self.end()
        self.url = line[1]
        return self

    def check(self, data: bytes) -> dict[str, Any]:
        """The report on a picture."""
        # A server that was just killed is back within seconds.
        for _ in range(100):
            try:
                return self.get("/v1/checks?wait=30", data)
            except (ConnectionError, urllib.error.URLError):
                time.sleep(0.1)
        raise AssertionError("the server did not come back")

    def get(self, path: str, data: bytes | None = None) -> dict[str, Any]:
        headers = {"Content-Type": "application/octet-stream"}
        request = urllib.request.Request(self.url + path, data, headers)
        with urllib.request.urlopen(request, timeout=120) as answer:
            shown: dict[str, Any] = json.load(answer)
        return shown

    def pid(self, part: str) -> int:
        """The process id of valkey, worker or server."""
        word = {"valkey": "valkey-server"}.get(part, f"-m unmask {part}")
        (found,) = [pid for pid, command in processes(self.data).items() if word in command]
        return found

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Send a signal; exit status, standard output after the ready line, standard error."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out, err

    def fails(self) -> str:
        """What it says when it ends by itself with a status of 2."""
        out, err = self.process.communicate(timeout=120)
        assert (self.process.returncode, out) == (2, ""), err
        assert "Traceback" not in err
        return err


def _environment() -> dict[str, str]:
    hidden = ("UNMASK_", "REDIS_URL")
    return {name: text for name, text in os.environ.items() if not name.startswith(hidden)}


def processes(data: Path) -> dict[int, str]:
    """The command line of each process that was started for ``data``; zombies have none."""
    mark, found = f"UNMASK_DATA={data}\0".encode(), {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            # Valkey writes its title over its environment, but works in its folder.
            ours = (
                mark in (place / "environ").read_bytes()
                or data in (place / "cwd").readlink().parents
            )
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except OSError:
            continue
        if ours and command:
            found[int(place.name)] = command
    return found


def none_left(data: Path, seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while processes(data) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not processes(data)


@pytest.fixture
def up(tmp_path: Path, colour_model: Path) -> Iterator[Make]:
    """Makes them, and sees to it that no process outlives the test."""
    made: list[Up] = []

    def make(data: Path = tmp_path / "data", model: Path = colour_model, **more: str) -> Up:
        made.append(Up(data, model, **more))
        return made[-1]

    yield make
    for one in made:
        one.process.kill()
        one.process.communicate()
        for pid in processes(one.data):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


def open_to_others(folder: Path) -> list[Path]:
    """What other accounts of the machine could read, had they the folder's name."""
    return [path for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077]


def test_a_check_outlives_the_service(
    up: Make, portrait: np.ndarray[Any, Any], tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o755)  # as the version before made it
    first = up().ready()
    report = first.check(photo(portrait))
    assert (report["state"], report["verdict"]) == ("done", "fake")
    assert open_to_others(first.data) == []
    socket_file = first.data / "valkey" / "valkey.sock"
    assert socket_file.is_socket()
    status, out, err = first.end()
    assert (status, out) == (0, "")
    assert "unmask up:" not in err
    assert none_left(first.data, 0)
    assert not socket_file.exists()
    second = up().ready()
    assert second.get(f"/v1/checks/{report['id']}")["report"] == report["report"]


def test_its_processes_get_no_secret_of_others(up: Make) -> None:
    secret = "of-somebody-else"
    names = ("TELEGRAM_TOKEN", "UNMASK_BOT_WEBHOOK_SECRET", "AWS_SECRET_ACCESS_KEY")
    service = up(**dict.fromkeys(names, secret)).ready()
    for part in ("worker", "server"):
        environment = Path(f"/proc/{service.pid(part)}/environ").read_bytes()
        assert secret.encode() not in environment, part


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_ctrl_c_and_a_closed_terminal_end_it_in_order(up: Make, number: signal.Signals) -> None:
    service = up().ready()
    os.killpg(service.process.pid, number)
    _, err = service.process.communicate(timeout=120)
    assert service.process.returncode == 0
    assert "unmask up:" not in err and "Traceback" not in err
    assert none_left(service.data, 0)


def test_it_can_be_told_to_end_before_it_is_ready(up: Make) -> None:
    service = up()
    while not any("-m unmask server" in command for command in processes(service.data).values()):
        time.sleep(0.01)
    assert service.end()[:2] == (0, "")
    assert none_left(service.data, 0)


def test_what_is_killed_is_started_again(up: Make, portrait: np.ndarray[Any, Any]) -> None:
    service = up().ready()
    for part in ("worker", "valkey", "server"):
        before = service.pid(part)
        os.kill(before, signal.SIGKILL)
        assert service.check(photo(portrait))["state"] == "done"
        assert service.pid(part) != before
    status, _, err = service.end()
    assert status == 0
    for line in ("worker ended (killed by signal 9); again", "Valkey ended; starting it again"):
        assert line in err
    assert none_left(service.data, 0)


def test_nothing_outlives_a_killed_supervisor(up: Make, portrait: np.ndarray[Any, Any]) -> None:
    service = up().ready()
    report = service.check(photo(portrait))
    service.process.kill()
    service.process.wait()
    assert none_left(service.data)
    again = up().ready()
    assert again.get(f"/v1/checks/{report['id']}")["state"] == "done"
    assert again.check(photo(portrait))["state"] == "done"


def test_one_service_a_folder(up: Make) -> None:
    first = up().ready()
    said = up().fails()
    assert f"another `unmask up` runs on this folder (process {first.process.pid})" in said
    assert first.get("/readyz")["status"] == "ready"


def test_a_taken_port_is_said(up: Make) -> None:
    with listener() as port:
        said = up(UNMASK_PORT=str(port)).fails()
    assert said.count("\n") == 1
    assert f"UNMASK_PORT={port}: the port is taken" in said


def test_a_missing_model_is_said(up: Make, tmp_path: Path) -> None:
    said = up(model=tmp_path / "none" / "manifest.json").fails()
    assert said == f"unmask: error: There is no model manifest at {tmp_path}/none/manifest.json.\n"


def test_a_wrong_model_is_said(up: Make, tmp_path: Path, colour_model: Path) -> None:
    shutil.copytree(colour_model.parent, tmp_path / "model")
    with (tmp_path / "model" / "colour.onnx").open("ab") as file:
        file.write(b"\0")
    service = up(model=tmp_path / "model" / "manifest.json")
    said = service.fails()
    assert '"message": "colour.onnx is not the file that its manifest names' in said
    assert "unmask: error: The worker ended before it was ready (status 78)" in said
    assert none_left(service.data, 0)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"UNMASK_API_KEYS": "none", "UNMASK_HOST": "0.0.0.0"}, "UNMASK_API_KEYS=none is for"),
        ({"UNMASK_POOLS": "No Pool"}, "A team's name is"),
        ({"UNMASK_HOST": "192.0.2.1"}, "UNMASK_HOST=192.0.2.1"),
        ({"UNMASK_BATCH_SIZE": "many"}, "UNMASK_BATCH_SIZE=many"),
        ({"UNMASK_DATA": "/dev/null/data"}, "UNMASK_DATA=/dev/null/data"),
    ],
)
def test_what_cannot_be_served_is_said(up: Make, more: dict[str, str], said: str) -> None:
    service = up(**more)
    assert said in service.fails()
    assert none_left(service.data, 0)


def unmask(code: str, data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in a process of its own, after ``code``."""
    code = f"import sys; {code}; from unmask.cli import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=_environment() | {"UNMASK_DATA": str(data)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "package"),
    [("up", "redis"), ("server", "aiohttp"), ("worker", "rq"), ("keys", "redis")],
)
def test_a_missing_package_is_said(tmp_path: Path, command: str, package: str) -> None:
    done = unmask(f"sys.modules[{package!r}] = None", tmp_path, command)
    said = f'unmask: error: unmask {command} needs: pip install "unmask[server]" (no {package})\n'
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


def test_keys_are_made_listed_and_revoked(tmp_path: Path) -> None:
    made = unmask("pass", tmp_path, "keys", "create", "Ada", "--scope", "list", "--team", "desk")
    key, prefix, _ = made.stdout.split()[0].split("_", 2)
    assert (made.returncode, made.stderr, key) == (0, "", "um")
    assert "Ada  may list  team desk" in unmask("pass", tmp_path, "keys", "list").stdout
    assert unmask("pass", tmp_path, "keys", "revoke", prefix).returncode == 0
    assert unmask("pass", tmp_path, "keys", "list").stdout == ""
    assert unmask("pass", tmp_path, "keys", "create", "X", "--team", "Not One").returncode == 2
    assert none_left(tmp_path, 0)  # no Valkey is left behind


def test_a_live_worker_is_seen_from_its_host(up: Make) -> None:
    service = up().ready()
    url = {"UNMASK_REDIS_URL": f"unix://{service.data}/valkey/valkey.sock"}
    look = [sys.executable, "-m", "unmask", "worker", "--alive"]
    seen = subprocess.run(look, cwd=ROOT, env=_environment() | url, timeout=30, check=False)
    assert seen.returncode == 0
    alone = subprocess.run(
        look, cwd=ROOT, env=_environment(), capture_output=True, timeout=30, check=False
    )
    assert alone.returncode == 2
