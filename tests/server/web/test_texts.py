"""What people read."""

from __future__ import annotations

import pytest

from server.web.texts import megabytes
from tests.server.server_process import Service, client_of


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (20_000_000, "20"),
        (100_000_000, "100"),
        (1_500_000, "1.5"),
        (500_000, "0.5"),
        (1, "0.000001"),
    ],
)
def test_megabytes(count: int, text: str) -> None:
    assert megabytes(count) == text


@pytest.mark.anyio
async def test_the_page_tells_a_small_limit(service: Service) -> None:
    async with client_of(service, max_bytes=250_000) as client:
        assert "up to 0.25 MB" in await (await client.get("/")).text()
