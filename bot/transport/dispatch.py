"""Brings stored updates to the handlers: many at a time, those of one chat in order."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from weakref import WeakValueDictionary

from telegram import Update
from telegram.ext import Application

from bot.transport.inbox import Inbox
from bot.transport.retry import retry_redis

_log = logging.getLogger(__name__)
#: How many updates are handled at the same time. Examining a picture takes long and does not count:
#: the handler only stores the owed reply.
CONCURRENCY = 256


class Dispatch:
    """Accepts updates; each is removed from the inbox when its handler has returned."""

    def __init__(
        self, application: Application[Any, Any, Any, Any, Any, Any], inbox: Inbox
    ) -> None:
        self._application = application
        self._inbox = inbox
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        #: asyncio.Lock is fair, so the updates of one chat are handled in order.
        self._chats: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def accept(self, updates: list[dict[str, Any]]) -> None:
        """Store updates (as Telegram's JSON); when this returns, they may be acknowledged.

        Raises :class:`UnmaskError` ``queue_unavailable``.
        """
        # An update that is in progress now may have been handled when the inbox answers.
        in_progress = set(self._tasks)
        for update in await self._inbox.accept(updates):
            if update["update_id"] not in in_progress:
                self._start(update)

    async def resume(self) -> None:
        """Handle what an earlier process did not."""
        for update in await self._inbox.take_over():
            self._start(update)

    async def close(self, seconds: float) -> None:
        """Give the running handlers some seconds; the next start handles the rest."""
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, update: dict[str, Any]) -> None:
        number = update["update_id"]
        if number not in self._tasks:
            task = asyncio.create_task(self._handle(update), name=f"update-{number}")
            self._tasks[number] = task
            task.add_done_callback(lambda _: self._tasks.pop(number))

    async def _handle(self, raw: dict[str, Any]) -> None:
        try:
            update = Update.de_json(raw, self._application.bot)
        except Exception as error:  # without its message, which may quote what somebody wrote
            details = {"update_id": raw["update_id"], "why": type(error).__name__}
            _log.error("an update has an unknown form", extra=details)
        else:
            chat = update.effective_chat.id if update.effective_chat else 0
            async with self._chats.setdefault(chat, asyncio.Lock()), self._slots:
                await self._application.process_update(update)
        await retry_redis(lambda: self._inbox.remove(raw["update_id"]))
