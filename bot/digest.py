"""Brings the team's daily digest to its chat, once.

The desk hands a day's digest to one bot (desk/outgoing/digest.py), and only one process works as
this bot (bot/transport/leader.py). Telegram cannot be asked whether a message arrived, so the bot
writes down that it begins to send: if it finds that after a crash, it does not send again. A digest
that is lost now and then does less harm than one that comes twice.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import date
from typing import Any

from redis import asyncio as aioredis
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError

from bot.i18n import texts_in
from bot.replies import digest as words
from bot.replies.keyboards import is_public
from bot.state.access import Access
from bot.state.redis_keys import Keys
from bot.team import DeskError, Digest, TeamDesk
from bot.transport.rate_limiter import seconds_of
from bot.transport.retry import reason_of
from unmask.errors import UnmaskError
from unmask.queue.clients import reachable

_log = logging.getLogger(__name__)
#: Seconds between two questions whether there is a digest.
INTERVAL = 60.0
#: How far a digest is, in Redis; kept for two days.
_SENDING, _SENT, _KEPT = "sending", "sent", 2 * 86_400
#: What a failure was caused by if nothing was sent at all (exceptions of httpx, which
#: python-telegram-bot uses): then the digest is tried again.
_NOT_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout"}


class DigestSender:
    """Asks for the digest, and sends it."""

    def __init__(
        self, bot: Bot, desk: TeamDesk, access: Access, redis: aioredis.Redis, keys: Keys
    ) -> None:
        self._bot = bot
        self._desk = desk
        self._access = access
        self._redis = redis
        self._key = keys.digest

    async def run(self) -> None:
        """Ask for ever, through failures of the desk, of Redis and of Telegram."""
        while True:
            try:
                await self.deliver()
            except (DeskError, UnmaskError, TelegramError) as error:
                why = error.trouble if isinstance(error, DeskError) else reason_of(error)
                _log.warning("the digest is put off", extra={"why": str(why)})
            except Exception:
                _log.exception("the digest failed")
            await asyncio.sleep(INTERVAL)

    async def deliver(self) -> None:
        """Send the digest of today, if there is one that was not begun to be sent."""
        holder = f"telegram:{self._bot.id}"
        digest = await self._desk.take_digest(holder)
        if digest is None:
            return
        stage = await self._stage(digest.day)
        failure = "unknown" if stage == _SENDING else None
        if stage is None:
            failure = await self._send(digest)
        await self._desk.end_digest(holder, digest.day, failure)
        if failure is not None:
            _log.warning("the digest was not sent", extra={"why": failure})

    async def _send(self, digest: Digest) -> str | None:
        """Why the digest could not be sent; None if it was. Raises what says that it can be tried
        again."""
        if not self._access.is_named(digest.chat):
            return "not_named"
        texts = texts_in(digest.locale)
        url = await self._desk.queue_page()
        button = InlineKeyboardButton(words.open_desk(texts), url=url)
        keyboard = InlineKeyboardMarkup([[button]]) if is_public(url) else None
        await self._mark(digest.day, _SENDING)
        try:
            await self._bot.send_message(
                digest.chat, words.digest(texts, digest), reply_markup=keyboard
            )
        except RetryAfter as refusal:
            await self._mark(digest.day, None)
            await asyncio.sleep(min(seconds_of(refusal), INTERVAL))
            raise
        except (Forbidden, ChatMigrated):
            await self._mark(digest.day, None)
            return "no_chat"
        except BadRequest as refusal:
            await self._mark(digest.day, None)
            _log.warning("Telegram refused the digest", extra={"why": reason_of(refusal)})
            return "no_chat" if "chat not found" in refusal.message.lower() else "refused"
        except TelegramError as error:
            if type(error.__cause__).__name__ not in _NOT_SENT:
                return "unknown"
            await self._mark(digest.day, None)
            raise
        await self._mark(digest.day, _SENT)
        return None

    async def _stage(self, day: date) -> str | None:
        """How far the digest of a day is; None if nothing of it was sent."""
        with reachable():
            value: Any = await self._redis.get(self._key)
        marked, _, stage = str(value or "").partition(" ")
        return stage if marked == day.isoformat() else None

    async def _mark(self, day: date, stage: str | None) -> None:
        with reachable():
            if stage is None:
                await self._redis.delete(self._key)
            else:
                await self._redis.set(self._key, f"{day.isoformat()} {stage}", ex=_KEPT)
