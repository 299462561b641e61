"""The server as a process: when it is ready, how it ends, and what it refuses to start with."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from tests.server.server_process import Service, blank, client_of

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def served(
    service: Service, **more: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "server",
        env=service.environment(UNMASK_PORT="0", **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(120):
            line = (await process.stdout.readline()).decode().split()
        assert line[0] == "ready" and len(line) == 2
        yield process, line[1]
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_ready_is_said_when_checks_are_taken(service: Service) -> None:
    async with served(service) as (process, url), aiohttp.ClientSession(url) as session:
        answer = await session.post("/v1/checks?wait=60", data=blank())
        assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 60) == 0
        assert process.stdout is not None and await process.stdout.read() == b""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_in_order_with_open_streams_and_waits(
    service: Service, number: signal.Signals
) -> None:
    more = {"UNMASK_TEAM_POOLS": "lonely"}
    async with served(service, **more) as (process, url), aiohttp.ClientSession(url) as session:
        check = await (await session.post("/v1/checks?team=lonely", data=blank())).json()
        streams = [await session.get(f"/v1/checks/{check['id']}/events") for _ in range(3)]
        for stream in streams:
            assert b"queued" in await stream.content.readline()
        request = session.post("/v1/checks?wait=60&team=lonely", data=blank())
        waiting = asyncio.ensure_future(request.__aenter__())
        await asyncio.sleep(0.5)
        process.send_signal(number)
        answer = await waiting
        assert (answer.status, (await answer.json())["state"]) == (202, "queued")
        for stream in streams:
            await stream.read()  # Ends as a whole answer, not as a broken one.
        assert await asyncio.wait_for(process.wait(), 60) == 0
    async with client_of(service) as client:
        for left in (check, await answer.json()):
            await client.delete(f"/v1/checks/{left['id']}")


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        ({"UNMASK_MODEL": "/nowhere/manifest.json"}, "manifest"),
        ({"UNMASK_REDIS_URL": "redis://127.0.0.1:1/0"}, "queue"),
    ],
)
def test_a_server_without_model_or_queue_does_not_start(
    service: Service, more: dict[str, str], missing: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "server"],
        env=service.environment(UNMASK_PORT="0", **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert missing in done.stderr and "Traceback" not in done.stderr
