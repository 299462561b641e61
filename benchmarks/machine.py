"""What a result is of: the machine, the versions and the model."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.turns import Sample


def about(model: Path, rounds: int, unit: int) -> Sample:
    manifest = json.loads(model.read_bytes())
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "machine": platform.platform(),
        "python": platform.python_version(),
        "model": {"name": manifest["name"], "version": manifest["version"]},
        "rounds": rounds,
        "pictures": unit,
    }


def installed_versions(ray: str | None) -> dict[str, str | None]:
    """The versions of what is measured; ``ray`` is the Python that has Ray Serve."""
    names = ("onnxruntime", "aiohttp", "redis", "rq", "litserve")
    versions = {name: installed(name) for name in names}
    if ray is not None:
        code = "from importlib.metadata import version; print(version('ray'))"
        versions["ray"] = subprocess.check_output([ray, "-c", code], text=True).strip()  # noqa: S603
    return versions


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
