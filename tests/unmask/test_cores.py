"""A container's processors are counted, and not its machine's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from unmask.cores import own_cores
from unmask.detector import session


@pytest.fixture(autouse=True)
def sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)


def system(root: Path, **files: str) -> Path:
    """A file system with these files; ``__`` stands for a slash, and ``_dot_`` for a dot."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("quota", "count"),
    [
        ("max 100000\n", 16),
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),
        ("10000 100000\n", 1),
        ("9900000 100000\n", 16),
        ("", 16),
        ("nonsense", 16),
        ("100000 0", 16),
    ],
)
def test_of_a_container(tmp_path: Path, quota: str, count: int) -> None:
    assert own_cores(system(tmp_path, sys__fs__cgroup__cpu_dot_max=quota)) == count


def test_of_the_narrowest_group(tmp_path: Path) -> None:
    root = system(
        tmp_path,
        proc__self__cgroup="0::/system/unmask\n",
        sys__fs__cgroup__system__cpu_dot_max="300000 100000",
        sys__fs__cgroup__system__unmask__cpu_dot_max="max 100000",
    )
    assert own_cores(root) == 3


def test_of_version_1(tmp_path: Path) -> None:
    folder = "sys__fs__cgroup__cpu,cpuacct__docker__1__"
    files = {
        f"{folder}cpu_dot_cfs_quota_us": "400000\n",
        f"{folder}cpu_dot_cfs_period_us": "100000",
    }
    root = system(tmp_path, proc__self__cgroup="4:cpu,cpuacct:/docker/1\n", **files)
    assert own_cores(root) == 4


def test_no_group_outside_the_file_systems_own_is_read(tmp_path: Path) -> None:
    root = system(tmp_path, proc__self__cgroup="0::/../../elsewhere\n")
    system(tmp_path / "sys", elsewhere__cpu_dot_max="100000 100000")
    assert own_cores(root) == 16


def test_a_process_that_may_run_on_two_has_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5}, raising=False)
    assert own_cores(tmp_path) == 2


def test_the_run_time_has_a_thread_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = system(tmp_path, sys__fs__cgroup__cpu_dot_max="300000 100000")
    monkeypatch.setattr(session, "own_cores", lambda: own_cores(root))
    assert session._options(0).intra_op_num_threads == 3
    assert session._options(1).intra_op_num_threads == 1
