"""Fixtures that several rooms share."""

from __future__ import annotations

import os

# before TensorFlow, which brings an SQLite of its own that knows no full-text search
import sqlite3  # noqa: F401
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import skimage.data
from xdist.scheduler import LoadScopeScheduling

from tests.models import write_colour_model, write_two_judges

Pixels = npt.NDArray[np.uint8]

#: Folders whose tests share a service, a bot or a browser that costs seconds to start.
SHARING = ("tests/browser/extension", "tests/browser", "tests/bot/unit", "tests/bot")


#: Files and folders whose tests start whole services, bots, browsers or training runs. They take
#: most of the suite's time, so that `make test-whole` runs them, not `make test`.
WHOLE = (
    "tests/bot/test_",
    "tests/browser/",
    "tests/faults/",
    "tests/model_training/paper/test_reproduce.py",
    "tests/model_training/training/",
    "tests/server/test_main.py",
    "tests/test_up.py",
    "tests/worker/test_worker.py",
)


class _Groups(LoadScopeScheduling):
    """Gives a process the tests of a whole file, or of a folder that shares what is dear to start.

    xdist can group by marks, too, but those are lost with pytest 9.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        folder = next((name for name in SHARING if path.startswith(f"{name}/")), "tests/bot/unit")
        return path if folder == "tests/bot/unit" else folder


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Groups:
    """Share out the tests by groups, where several processes run them (``-n``)."""
    return _Groups(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts whole services."""
    for item in items:
        if item.nodeid.startswith(WHOLE):
            item.add_marker(pytest.mark.whole)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """All is written for asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def colour_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of a tiny model that judges by colour; see :mod:`tests.models`."""
    return write_colour_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def two_judges(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of a tiny model of two judges, which see other colours."""
    return write_two_judges(tmp_path_factory.mktemp("judges"))


@pytest.fixture(scope="session")
def portrait() -> Pixels:
    """A photograph of a person, RGB (512, 512, 3): Eileen Collins, NASA, public domain."""
    pixels: Pixels = skimage.data.astronaut()
    pixels.flags.writeable = False
    return pixels


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test depends on the UNMASK_* variables of the person who runs it."""
    for name in list(os.environ):
        if name.startswith("UNMASK_"):
            monkeypatch.delenv(name)
    # else the answers of a test would depend on the processor
    monkeypatch.setenv("UNMASK_ENGINE", "onnxruntime")
