"""A bot on its stage: a service, a Telegram, and the bot as a process or within the test's own."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import redis

import bot.main
from tests.bot.telegram import Telegram
from tests.server.server_process import Service as Place
from unmask.fetch import Fetcher
from unmask.queue.clients import open_client

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "unmask", "bot")


class Runner:
    """A bot in a process of its own. ``log`` is all that it ever wrote."""

    def __init__(self, place: Place, telegram: Telegram, log: Path, **settings: str) -> None:
        self.telegram = telegram
        self.log = log
        own = {"telegram_token": telegram.token, "telegram_api": telegram.api} | settings
        self._environment = place.environment(
            **{f"UNMASK_{name.upper()}": value for name, value in own.items()}
        )
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self, *command: str) -> Runner:
        """Start it and wait until it says that it is ready."""
        before = self.said.count("ready @")
        self.begin(*command)
        await self.telegram.until(
            lambda: self.said.count("ready @") > before or not self.runs, 60, "a ready bot"
        )
        assert self.runs, f"the bot ended:\n{self.said[-3000:]}"
        return self

    def begin(self, *command: str) -> None:
        """Start it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command or COMMAND, cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    async def stop(self) -> int:
        """SIGTERM; its exit status. One that does not obey is killed, and is an error."""
        assert self.process is not None
        self.process.terminate()
        try:
            return await asyncio.to_thread(self.process.wait, 30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


@asynccontextmanager
async def bot_within(
    place: Place, telegram: Telegram, fetcher: Fetcher | None = None, **settings: Any
) -> AsyncIterator[None]:
    """A bot in the test's own event loop."""
    own = {"telegram_token": telegram.token, "telegram_api": telegram.api}
    stop = asyncio.Event()
    before = len(telegram.called("getUpdates"))
    running = asyncio.create_task(
        bot.main.run(place.settings(**own | settings), stop, fetcher=fetcher)
    )
    try:
        await telegram.until(
            lambda: len(telegram.called("getUpdates")) > before or running.done(), 30, "a bot"
        )
        yield
    finally:
        stop.set()
        await running


class Work:
    """What the workers of a place were made to do."""

    def __init__(self, place: Place) -> None:
        self._client: redis.Redis = open_client(place.redis_url)

    @property
    def examined(self) -> int:
        """Pictures that a worker ever examined."""
        return int(float(self._client.hget("unmask:counters", "pictures") or 0))

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing runs."""
        return not self._client.zcard("unmask:open")

    def owes_nothing(self, telegram: Telegram) -> bool:
        """Whether a bot has dealt with all that it accepted, and the workers too."""
        prefix = f"unmask:bot:{telegram.bot.id}:"
        try:
            return self.idle and not self._client.exists(f"{prefix}orders", f"{prefix}inbox")
        except (redis.ConnectionError, redis.TimeoutError):
            return False

    def checks_of(self, telegram: Telegram) -> list[str]:
        """The checks that a bot has asked for, of pictures that it owes an answer for."""
        orders: Any = self._client.hvals(f"unmask:bot:{telegram.bot.id}:orders")
        items = [item for order in orders for item in json.loads(order)["items"]]
        return [item["check"] for item in items if item["check"]]

    async def until_idle(self, timeout: float = 60) -> None:
        deadline = time.monotonic() + timeout
        while not self.idle:
            assert time.monotonic() < deadline, "the workers did not come to an end"
            await asyncio.sleep(0.01)

    def clients(self) -> list[dict[str, str]]:
        """The connections to Redis, as it lists them."""
        found: Any = self._client.client_list()
        return list(found)

    def commands(self) -> int:
        """How many commands Redis ever got."""
        stats: Any = self._client.info("stats")
        return int(stats["total_commands_processed"])

    def keys(self, pattern: str) -> list[str]:
        return sorted(map(str, self._client.scan_iter(pattern)))

    def close(self) -> None:
        self._client.close()
