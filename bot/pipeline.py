"""The way of a reply: collected, examined, sent. After a crash at any point it is resumed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time

from telegram import Bot
from telegram.error import ChatMigrated, InvalidToken, TelegramError

from bot.examination import Examination
from bot.replies.activity import showing_activity
from bot.replies.sender import ReplySender
from bot.state.counters import Counters
from bot.state.reply_queue import Reply, ReplyStore, Stage
from bot.transport.retry import reason_of, retry_redis
from unmask.errors import UnmaskError
from unmask.settings import Settings

_log = logging.getLogger(__name__)
#: Seconds without a further picture after which an album counts as complete.
ALBUM_SECONDS = 1.0
#: Seconds between two checks whether an album's picture is stored yet.
_POLL_SECONDS = 0.05
#: Seconds that replies which are being sent have when the bot stops.
GRACE = 15.0


class Pipeline:
    """Processes replies, each in a task of its own."""

    def __init__(
        self,
        *,
        bot: Bot,
        replies: ReplyStore,
        examination: Examination,
        sender: ReplySender,
        counters: Counters,
        settings: Settings,
    ) -> None:
        self._bot = bot
        self._replies = replies
        self._examination = examination
        self._sender = sender
        self._counters = counters
        self._settings = settings
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._collecting: dict[str, Reply] = {}
        self._joining: set[str] = set()
        self._sending: set[str] = set()

    async def take(self, reply: Reply, update_id: int) -> None:
        """Store a reply and start to process it."""
        if reply.id not in self._tasks:
            await self._replies.add(reply, update_id)
            self._start(reply)

    async def take_part(self, reply: Reply, update_id: int) -> None:
        """The same for one picture of an album: it joins the others, or starts the album."""
        album = self._collecting.get(reply.id)
        if album is not None:
            await self._join(album, reply, update_id)
            return
        if reply.id in self._tasks:  # too late for the album: this picture gets its own reply
            reply.id += f".{reply.reply_to}"
        reply.complete_at = time.time() + ALBUM_SECONDS
        await self._replies.add(reply, update_id)
        self._collecting[reply.id] = reply
        self._start(reply)

    def is_collecting(self, reply_id: str) -> bool:
        """Whether the bot was called for an album and still accepts pictures for it."""
        return reply_id in self._collecting

    async def resume(self) -> None:
        """Process what an earlier process left."""
        for reply in await self._replies.all():
            reply.starts += 1
            if reply.complete_at and reply.stage is Stage.WAITING:
                reply.complete_at = time.time() + ALBUM_SECONDS
                self._collecting[reply.id] = reply
            await self._replies.save(reply)
            self._start(reply)

    async def forget(self, user: int) -> int:
        """Drop all replies to a user; returns how many there were."""
        replies = [reply for reply in await self._replies.all() if reply.user == user]
        for reply in replies:
            await self._replies.remove(reply.id)
        tasks = [self._tasks[reply.id] for reply in replies if reply.id in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return len(replies)

    async def close(self) -> None:
        """Stop. Replies that are being sent may arrive; the next start processes the rest."""
        waiting = [task for name, task in self._tasks.items() if name not in self._sending]
        for task in waiting:
            task.cancel()
        sending = [task for name, task in self._tasks.items() if name in self._sending]
        if sending:
            await asyncio.wait(sending, timeout=GRACE)
        for task in sending:
            task.cancel()
        await asyncio.gather(*waiting, *sending, return_exceptions=True)

    async def _join(self, album: Reply, part: Reply, update_id: int) -> None:
        """Add a picture to an album: in memory only once it is stored. If storing fails, the update
        is delivered again, and the picture must not get two replies."""
        messages = {item.sent.message for item in album.items}
        new = [item for item in part.items if item.sent.message not in messages]
        changes = {
            "items": [*album.items, *new],
            "reply_to": min(album.reply_to, part.reply_to),
            "origin": album.origin or part.origin,
            "complete_at": time.time() + ALBUM_SECONDS,
        }
        self._joining.add(album.id)  # the album is not complete before the picture is stored
        try:
            await self._replies.add(album.model_copy(update=changes), update_id)
        finally:
            self._joining.discard(album.id)
        for name, value in changes.items():
            setattr(album, name, value)

    def _start(self, reply: Reply) -> None:
        task = asyncio.create_task(self._run(reply), name=f"reply-{reply.id}")
        self._tasks[reply.id] = task

        def clean_up(_: asyncio.Task[None]) -> None:
            self._tasks.pop(reply.id, None)
            self._collecting.pop(reply.id, None)
            self._sending.discard(reply.id)

        task.add_done_callback(clean_up)

    async def _run(self, reply: Reply) -> None:
        deadline = self._examination.deadline(reply)
        try:
            async with showing_activity(self._bot, reply):
                await self._collect_album(reply)
                await asyncio.gather(*(self._examination.run(reply, item) for item in reply.items))
                self._sending.add(reply.id)
                await retry_redis(lambda: self._send(reply), deadline)
            await retry_redis(lambda: self._replies.remove(reply.id), deadline)
        except (UnmaskError, InvalidToken) as error:  # InvalidToken: the next start has a new token
            _log.error("a reply is left for the next start", extra={"why": reason_of(error)})
        except Exception as error:
            await self._give_up(reply, error)
        else:
            await self._count(reply)

    async def _send(self, reply: Reply) -> None:
        try:
            await self._sender.send(reply)
        except ChatMigrated as migration:  # the group became a supergroup, with another id
            reply.chat, reply.stage = migration.new_chat_id, Stage.WAITING
            await self._sender.send(reply)

    async def _collect_album(self, reply: Reply) -> None:
        """Wait until an album is complete; returns at once for any other reply."""
        while reply.id in self._collecting and (
            reply.id in self._joining or time.time() < reply.complete_at
        ):
            await asyncio.sleep(max(reply.complete_at - time.time(), _POLL_SECONDS))
        if self._collecting.pop(reply.id, None) is not None:
            reply.items.sort(key=lambda item: (item.sent.message, item.sent.number))

    async def _count(self, reply: Reply) -> None:
        """Add a reply to the sums of /stats. If that fails, no reply is lost."""
        names = ["answers"]
        try:
            for item in reply.items:
                names += ["pictures", f"kind:{item.sent.kind}"]
                if item.outcome.error is not None:
                    names.append(f"error:{item.outcome.error['code']}")
                elif item.outcome.similar:
                    names.append("alike")
            await self._counters.add(*names)
        except UnmaskError as error:
            _log.warning("a reply was not counted", extra={"code": error.code})

    async def _give_up(self, reply: Reply, error: Exception) -> None:
        """Remove a reply that cannot be sent."""
        if isinstance(error, TelegramError):
            # The user blocked the bot, the group removed it, or Telegram was away for hours.
            _log.warning("a reply could not be sent", extra={"why": reason_of(error)})
        else:
            incident = secrets.token_hex(4)
            _log.error(
                "a reply failed", exc_info=error, extra={"incident": incident, "reply": reply.id}
            )
            with contextlib.suppress(TelegramError, UnmaskError):
                await self._sender.apologise(reply, incident)
        with contextlib.suppress(UnmaskError):
            await retry_redis(
                lambda: self._replies.remove(reply.id), self._examination.deadline(reply)
            )
