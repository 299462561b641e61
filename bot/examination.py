"""Examines one picture of a reply: fetches it, finds or requests a check, waits for its result."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Coroutine
from functools import partial
from typing import Any

from telegram.error import InvalidToken, NetworkError, RetryAfter

from bot.file_types import refusal_of
from bot.files import Files
from bot.state.history import History
from bot.state.reply_queue import Item, Kind, Note, Reply, ReplyStore, Stage
from bot.state.users import Users
from bot.transport.retry import retry_redis, retry_telegram
from unmask.errors import UnmaskError
from unmask.images import Picture, open_picture
from unmask.queue.check_queue import CheckQueue
from unmask.report import Door, State
from unmask.settings import Settings

_log = logging.getLogger(__name__)
#: How many pictures of Telegram are fetched and compared at the same time, because each lies in
#: memory; and as many of URLs, so that a slow site delays nobody's photo.
CONCURRENCY = 16
#: Starts of the bot after which a picture that never reached the queue is given up.
MAX_STARTS = 3


class Examination:
    """Brings pictures to the end of their check, or to an error."""

    def __init__(
        self,
        *,
        replies: ReplyStore,
        checks: CheckQueue,
        files: Files,
        history: History,
        users: Users,
        settings: Settings,
    ) -> None:
        self._replies = replies
        self._checks = checks
        self._files = files
        self._history = history
        self._users = users
        self._settings = settings
        self._slots = {is_url: asyncio.Semaphore(CONCURRENCY) for is_url in (False, True)}

    def deadline(self, reply: Reply) -> float:
        """When a reply is given up while the queue or the workers are away (Unix time)."""
        return reply.created + 2 * self._settings.max_wait

    async def run(self, reply: Reply, item: Item) -> None:
        """Examine one picture; what became of it is noted in ``item``. Raises ``InvalidToken``."""
        outcome = item.outcome
        if outcome.error is not None or reply.stage is not Stage.WAITING:
            return
        if not outcome.check and reply.starts > MAX_STARTS:
            _log.error("a picture was given up", extra={"reply": reply.id})
            outcome.error = UnmaskError("poison_picture", "It ended the bot.").as_json()["error"]
            return
        try:
            if not outcome.check:
                await retry_redis(lambda: self._submit(reply, item), self.deadline(reply))
            await retry_redis(lambda: self._wait(reply, item), self.deadline(reply))
        except UnmaskError as error:
            outcome.error = error.as_json()["error"]
        except InvalidToken:
            raise
        except Exception:
            incident = secrets.token_hex(4)
            _log.exception("a picture failed", extra={"incident": incident, "reply": reply.id})
            outcome.error = {"code": "internal", "detail": {"incident": incident}}

    async def _submit(self, reply: Reply, item: Item) -> None:
        """Fetch and submit a picture. While Telegram is away it is retried, and its slot is free
        for others between two tries."""
        try:
            deadline = reply.created + self._settings.max_wait
            await retry_telegram(lambda: self._fetch_and_submit(reply, item), deadline)
        except (NetworkError, RetryAfter) as error:
            raise UnmaskError("not_served", "Telegram was away for too long.") from error

    async def _fetch_and_submit(self, reply: Reply, item: Item) -> None:
        """Fetch a picture, then find an earlier check of a similar one or request a check."""
        outcome = item.outcome
        async with self._slots[item.sent.kind is Kind.URL]:
            data, notes = await self._files.read(item.sent, reply.user)
            outcome.add_note(*notes)
            picture = await asyncio.to_thread(_open, data, self._settings)
            earlier = None
            if not reply.ignore_history:
                earlier, outcome.phash = await self._history.find(reply.chat, picture)
            if earlier is not None:
                outcome.earlier = earlier.entry.when
            if earlier is not None and not earlier.exact:
                outcome.similar = True
                outcome.check, outcome.owner = earlier.entry.check, earlier.entry.owner
                outcome.warnings = picture.warnings
                await self._replies.save(reply)
            else:
                await _finish_despite_cancellation(self._request_check(reply, item, picture))

    async def _request_check(self, reply: Reply, item: Item, picture: Picture) -> None:
        """Request the check, and store whose it is, so that they can delete it."""
        sent, outcome = item.sent, item.outcome
        check = await self._check_of(picture, reply, item)
        await self._users.own(reply.user, f"check:{reply.chat}:{check}")
        # The check of a clip's preview does not hold the bytes of the clip.
        if not (sent.kind is Kind.CLIP and Note.THUMBNAIL in outcome.notes) and sent.unique:
            await self._history.remember_file(sent.unique, check)
            await self._users.own(reply.user, f"file:{sent.unique}")
        outcome.check, outcome.owner = check, reply.user
        await self._replies.save(reply)

    async def _check_of(self, picture: Picture, reply: Reply, item: Item) -> str:
        """The id of the check; the same one if it was requested before a crash."""
        submit = partial(
            self._checks.submit,
            door=Door.TELEGRAM,
            owner=f"telegram:{reply.user}",
            language=reply.language,
        )
        try:
            check = await submit(picture, idempotency_key=reply.idempotency_key(item))
        except UnmaskError as error:
            if error.code != "idempotency_mismatch":
                raise
            # The URL leads to another picture than before the crash.
            check = await submit(picture)
        return check.id

    async def _wait(self, reply: Reply, item: Item) -> None:
        """Wait until the check has ended; raises its error."""
        outcome = item.outcome
        seconds = max(self.deadline(reply) - time.time(), 1.0)
        check = await self._checks.wait(outcome.check, seconds)
        if check is None:
            raise UnmaskError("not_found", "The check was deleted.")
        if not check.ended:
            raise UnmaskError("not_served", "The check did not end in time.")
        if check.state is State.FAILED:
            outcome.error = check.error or {"code": "internal"}
        elif outcome.earlier is None:
            await self._history.remember(reply.chat, check, outcome.owner, outcome.phash)


def _open(data: bytes, settings: Settings) -> Picture:
    """The picture; the error for bytes that are none says what they are instead."""
    try:
        return open_picture(data, settings)
    except UnmaskError as error:
        refusal = refusal_of(data) if error.code == "not_a_picture" else None
        if refusal is not None:
            error.detail["refusal"] = refusal
        raise


async def _finish_despite_cancellation(step: Coroutine[Any, Any, None]) -> None:
    """Run a step to its end, even if the reply is cancelled meanwhile."""
    task = asyncio.ensure_future(step)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
