"""The service that the tests of the server share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from tests.server.server_process import Place, client_of, running_place


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory, colour_model: Path) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("data"), colour_model) as running:
        yield running


@pytest.fixture
async def client(place: Place) -> AsyncIterator[TestClient[Any, Any]]:
    async with client_of(place) as made:
        yield made
