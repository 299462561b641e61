"""From updates that were written down to the handlers, many at one time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any
from weakref import WeakValueDictionary

from telegram import Update
from telegram.ext import Application

from bot.inbox import Inbox
from unmask.errors import UnmaskError

_log = logging.getLogger(__name__)
#: Updates dealt with at one time. What takes long, examining a picture, is no part of that.
TOGETHER = 256


class Dispatch:
    """Takes updates in; each is written off once its handler is through."""

    def __init__(
        self, application: Application[Any, Any, Any, Any, Any, Any], inbox: Inbox
    ) -> None:
        self._application = application
        self._inbox = inbox
        self._turns = asyncio.Semaphore(TOGETHER)
        self._tasks: set[asyncio.Task[None]] = set()
        #: Those of one chat are dealt with in order; a lock serves who waits in turn.
        self._chats: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def take(self, updates: list[dict[str, Any]]) -> None:
        """Write updates (as Telegram's JSON) down; when this returns, they may be acknowledged.

        Raises :class:`UnmaskError` ``queue_unavailable``.
        """
        for update in await self._inbox.accept(updates):
            self._start(update)

    async def resume(self) -> None:
        """Deal with what an earlier process left."""
        for update in await self._inbox.left():
            self._start(update)

    async def close(self, seconds: float) -> None:
        """Let those at work end; what takes longer is left to the next start."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, update: dict[str, Any]) -> None:
        task = asyncio.create_task(self._deal(update), name=f"update-{update['update_id']}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deal(self, raw: dict[str, Any]) -> None:
        try:
            update = Update.de_json(raw, self._application.bot)
        except Exception:
            _log.exception("an update is of no form that is known")
        else:
            chat = update.effective_chat.id if update.effective_chat else 0
            async with self._chats.setdefault(chat, asyncio.Lock()), self._turns:
                await self._application.process_update(update)
        with contextlib.suppress(UnmaskError):
            await self._inbox.done(raw["update_id"])
