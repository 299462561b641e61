"""The service that the tests of the server share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from tests.server.server_process import Service, client_of, running_service


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, colour_model: Path) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("data"), colour_model) as running:
        yield running


@pytest.fixture
async def client(service: Service) -> AsyncIterator[TestClient[Any, Any]]:
    async with client_of(service) as http:
        yield http
