"""Runs the bot, in a process of its own or in the test's, and looks into the queue."""

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
from tests.server.server_process import Service
from unmask.fetch import Fetcher
from unmask.queue.clients import open_client

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "unmask", "bot")


class BotProcess:
    """A bot in a process of its own, which may be started several times with one log file."""

    def __init__(self, service: Service, telegram: Telegram, log: Path, **settings: str) -> None:
        self.telegram = telegram
        self.log = log
        own = {"telegram_token": telegram.token, "telegram_api": telegram.api} | settings
        self._environment = service.environment(
            **{f"UNMASK_{name.upper()}": value for name, value in own.items()}
        )
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self, *command: str) -> BotProcess:
        """Start it and wait until it is ready."""
        before = self.log_text.count("ready @")
        self.launch(*command)
        await self.telegram.until(
            lambda: self.log_text.count("ready @") > before or not self.is_running,
            60,
            "a ready bot",
        )
        assert self.is_running, f"the bot ended:\n{self.log_text[-3000:]}"
        return self

    def launch(self, *command: str) -> None:
        """Start it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command or COMMAND, cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def log_text(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)

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
    service: Service, telegram: Telegram, fetcher: Fetcher | None = None, **settings: Any
) -> AsyncIterator[None]:
    """A bot in the test's own event loop."""
    own = {"telegram_token": telegram.token, "telegram_api": telegram.api}
    stop = asyncio.Event()
    before = len(telegram.called("getUpdates"))
    running = asyncio.create_task(
        bot.main.run(service.settings(**own | settings), stop, fetcher=fetcher)
    )
    try:
        await telegram.until(
            lambda: len(telegram.called("getUpdates")) > before or running.done(), 30, "a bot"
        )
        yield
    finally:
        stop.set()
        await running


class QueueProbe:
    """Looks into the queue: what the workers did, and what is left to do."""

    def __init__(self, service: Service) -> None:
        self._client: redis.Redis = open_client(service.redis_url)

    @property
    def examined(self) -> int:
        """How many pictures the workers have examined."""
        return int(float(self._client.hget("unmask:counters", "pictures") or 0))

    @property
    def idle(self) -> bool:
        """Whether no check waits or runs."""
        return not self._client.zcard("unmask:open")

    def owes_nothing(self, telegram: Telegram) -> bool:
        """Whether a bot and the workers have finished all that they accepted."""
        prefix = f"unmask:bot:{telegram.bot.id}:"
        try:
            return self.idle and not self._client.exists(f"{prefix}orders", f"{prefix}inbox")
        except (redis.ConnectionError, redis.TimeoutError):
            return False

    def checks_of(self, telegram: Telegram) -> list[str]:
        """The checks that a bot has requested, for the replies that it owes."""
        replies: Any = self._client.hvals(f"unmask:bot:{telegram.bot.id}:orders")
        outcomes = [item["outcome"] for reply in replies for item in json.loads(reply)["items"]]
        return [outcome["check"] for outcome in outcomes if outcome["check"]]

    async def until_idle(self, timeout: float = 60) -> None:
        deadline = time.monotonic() + timeout
        while not self.idle:
            assert time.monotonic() < deadline, "the workers did not come to an end"
            await asyncio.sleep(0.01)

    def clients(self) -> list[dict[str, str]]:
        """The connections to Redis, as Redis lists them."""
        connections: Any = self._client.client_list()
        return list(connections)

    def commands(self) -> int:
        """How many commands Redis has processed."""
        stats: Any = self._client.info("stats")
        return int(stats["total_commands_processed"])

    def keys(self, pattern: str) -> list[str]:
        return sorted(map(str, self._client.scan_iter(pattern)))

    def close(self) -> None:
        self._client.close()
