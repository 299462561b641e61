"""Makes what the handlers share."""

from __future__ import annotations

from redis import asyncio as aioredis
from telegram import Bot

from bot.context import Services
from bot.files import Files
from bot.pipeline import Pipeline
from bot.replies.sender import Answers
from bot.state.access import Access
from bot.state.callback_data import Tickets
from bot.state.counters import Counters
from bot.state.feedback import Feedback
from bot.state.history import Past
from bot.state.limits import Limits
from bot.state.pending_albums import Unasked
from bot.state.redis_keys import Keys
from bot.state.reply_queue import OrderBook
from bot.state.users import People
from bot.transport.inbox import Inbox
from unmask.fetch import Fetcher
from unmask.queue import CheckQueue
from unmask.settings import Settings


def make_services(
    settings: Settings,
    bot: Bot,
    checks: CheckQueue,
    fetcher: Fetcher,
    redis: aioredis.Redis,
    limits: Limits,
    keys: Keys,
    owner_key: str,
) -> Services:
    """Put the parts together; ``owner_key`` is the secret under which feedback knows its giver.

    Raises :class:`SettingsError` for settings that cannot be.
    """
    people = People(redis, keys, settings.retention)
    past = Past(redis, keys, checks, settings)
    book = OrderBook(redis, keys)
    tickets = Tickets(redis, keys, settings.retention)
    counters = Counters(redis, keys)
    pipeline = Pipeline(
        bot=bot,
        book=book,
        checks=checks,
        files=Files(bot, checks, past, fetcher, settings),
        past=past,
        people=people,
        answers=Answers(bot, checks, book, tickets, people, settings),
        counters=counters,
        settings=settings,
    )
    return Services(
        settings=settings,
        bot=bot,
        checks=checks,
        inbox=Inbox(redis, keys),
        book=book,
        people=people,
        access=Access(redis, keys, settings),
        limits=limits,
        tickets=tickets,
        past=past,
        counters=counters,
        feedback=Feedback(settings, owner_key),
        pipeline=pipeline,
        unasked=Unasked(),
    )
