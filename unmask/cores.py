"""How many processors this process has: a container may have fewer than its machine.

A run time with a thread for each processor of the machine, in a container that may use two of
them, is stopped by the kernel for most of each tenth of a second.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

_ROOT = Path("/")


def own_cores(root: Path = _ROOT) -> int:
    """The processors that this process may use, at least 1: those that it may run on, and no more
    than its control groups (Linux, version 1 or 2) give it time for, rounded up. ``root`` is that
    of the file system."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(math.ceil(min([cores, *_quotas(root)])), 1)


def _quotas(root: Path) -> list[float]:
    """The processors' worth of time that each control group around this process may take."""
    groups = root / "sys/fs/cgroup"
    shares = []
    for path in (groups / own for own in _own_groups(root)):
        for folder in (path, *path.parents):
            if not folder.is_relative_to(groups):
                break
            share = _of_version_2(folder) or _of_version_1(folder)
            if share is not None:
                shares.append(share)
    return shares


def _own_groups(root: Path) -> list[str]:
    """The folders of this process's groups; that of a container is the root of what it sees."""
    paths = ["", "cpu", "cpu,cpuacct"]
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, _, group = line.partition(":")
        controllers, _, path = group.partition(":")
        if not controllers or "cpu" in controllers.split(","):
            paths.append(f"{controllers}{path}".lstrip("/"))
    return [path for path in paths if ".." not in path.split("/")]


def _of_version_2(folder: Path) -> float | None:
    quota, _, period = _read(folder / "cpu.max").strip().partition(" ")
    return _share(quota, period)


def _of_version_1(folder: Path) -> float | None:
    return _share(_read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us"))


def _share(quota: str, period: str) -> float | None:
    """Quota over period; None where there is none ("max" or -1)."""
    try:
        share = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return None
    return share if share > 0 else None


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
