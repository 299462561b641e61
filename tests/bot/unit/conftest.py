"""Fixtures of the bot's unit tests: a Redis of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from redis import asyncio as aioredis

from unmask.queue.clients import open_async_client
from unmask.queue.valkey import EmbeddedValkey


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    valkey = EmbeddedValkey(tmp_path_factory.mktemp("unit"))
    yield valkey.ensure()
    valkey.stop()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[aioredis.Redis]:
    client = open_async_client(redis_url)
    await client.flushdb()
    yield client
    await client.aclose()
