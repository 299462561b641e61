"""The processes of `unmask up` get what they need, and no other's secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from unmask.local.child_environment import server_environment, worker_environment
from unmask.settings import Settings

SOURCE = {
    "PATH": "/usr/bin",
    "LC_ALL": "de_DE.UTF-8",
    "OMP_NUM_THREADS": "2",
    "PYTHONPATH": "/elsewhere",
    "UNMASK_DATA": "/data",
    "UNMASK_DATABASE": "postgresql://desk:secret@localhost/desk",
    "UNMASK_TELEGRAM_TOKEN": "1:secret",
    "UNMASK_BOT_WEBHOOK_SECRET": "secret",
    "TELEGRAM_TOKEN": "1:secret",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "GITHUB_TOKEN": "secret",
}


def test_a_worker_gets_no_secret() -> None:
    environment = worker_environment(Settings(store="/data/store"), SOURCE)
    assert "secret" not in str(environment)
    assert {"PATH", "LC_ALL", "OMP_NUM_THREADS", "UNMASK_DATA"} <= set(environment)
    assert environment["PYTHONPATH"].endswith(":/elsewhere")


def test_the_server_gets_the_desks_database_too() -> None:
    server, worker = (make(Settings(), SOURCE) for make in (server_environment, worker_environment))
    assert set(server) | {"GLIBC_TUNABLES"} == set(worker) | {"UNMASK_DATABASE"}


def test_a_worker_asks_for_large_pages_unless_told_otherwise() -> None:
    assert worker_environment(Settings(), SOURCE)["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=1"
    own = {**SOURCE, "GLIBC_TUNABLES": "glibc.malloc.hugetlb=0"}
    assert worker_environment(Settings(), own)["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=0"


def test_the_worker_of_the_image_asks_for_the_same() -> None:
    dockerfile = Path(__file__).parents[3] / "docker" / "Dockerfile"
    parts = dockerfile.read_text(encoding="utf-8").split("FROM part AS ")
    for part in parts[1:]:
        asks = "GLIBC_TUNABLES=glibc.malloc.hugetlb=1" in part
        assert asks == part.startswith("worker")


@pytest.mark.parametrize("make", [server_environment, worker_environment])
def test_the_credentials_of_a_remote_store_are_passed_on(make: object) -> None:
    assert callable(make)
    environment = make(Settings(store="s3://bucket/unmask"), SOURCE)
    assert environment["AWS_SECRET_ACCESS_KEY"] == "secret"
    assert not [name for name in environment if "TELEGRAM" in name or "BOT" in name]
