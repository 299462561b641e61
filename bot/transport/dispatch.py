"""From updates that were written down to the handlers, many at one time."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from weakref import WeakValueDictionary

from telegram import Update
from telegram.ext import Application

from bot.transport.inbox import Inbox
from bot.transport.retry import patiently

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
        self._tasks: dict[int, asyncio.Task[None]] = {}
        #: Those of one chat are dealt with in order; a lock serves who waits in turn.
        self._chats: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def take(self, updates: list[dict[str, Any]]) -> None:
        """Write updates (as Telegram's JSON) down; when this returns, they may be acknowledged.

        Raises :class:`UnmaskError` ``queue_unavailable``.
        """
        in_hand = set(self._tasks)  # what is through before the inbox answers is dealt with
        for update in await self._inbox.accept(updates):
            if update["update_id"] not in in_hand:
                self._start(update)

    async def resume(self) -> None:
        """Deal with what an earlier process left."""
        for update in await self._inbox.left():
            self._start(update)

    async def close(self, seconds: float) -> None:
        """Let those at work end; what takes longer is left to the next start."""
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, update: dict[str, Any]) -> None:
        number = update["update_id"]
        if number not in self._tasks:
            task = asyncio.create_task(self._deal(update), name=f"update-{number}")
            self._tasks[number] = task
            task.add_done_callback(lambda _: self._tasks.pop(number))

    async def _deal(self, raw: dict[str, Any]) -> None:
        try:
            update = Update.de_json(raw, self._application.bot)
        except Exception as error:  # not what it says: that may quote the message
            why = {"update_id": raw["update_id"], "why": type(error).__name__}
            _log.error("an update is of no form that is known", extra=why)
        else:
            chat = update.effective_chat.id if update.effective_chat else 0
            async with self._chats.setdefault(chat, asyncio.Lock()), self._turns:
                await self._application.process_update(update)
        await patiently(lambda: self._inbox.done(raw["update_id"]))
