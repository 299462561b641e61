"""The queue that most of these tests break."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.queue_harness import QueueHarness, queue_harness


@pytest.fixture
async def harness(anyio_backend: str, tmp_path: Path) -> AsyncIterator[QueueHarness]:
    """A queue with the settings as they come, whose processes end with the test."""
    async with queue_harness(tmp_path) as service:
        yield service
