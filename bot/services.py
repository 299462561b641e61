"""What the handlers share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from redis import asyncio as aioredis
from telegram import Bot

from bot.access import Access
from bot.answers import Answers
from bot.counters import Counters
from bot.feedback import Feedback
from bot.files import Files
from bot.inbox import Inbox
from bot.keys import Keys
from bot.limits import Limits
from bot.orders import OrderBook
from bot.past import Past
from bot.people import People
from bot.pipeline import Pipeline
from bot.tickets import Tickets
from bot.unasked import Unasked
from unmask.fetch import Fetcher
from unmask.queue import Checks
from unmask.settings import Settings

if TYPE_CHECKING:
    from bot.turn import Turn


@dataclass(frozen=True)
class Services:
    """Made once, by :func:`make_services`; whoever made what is given in closes it."""

    settings: Settings
    bot: Bot
    checks: Checks
    inbox: Inbox
    book: OrderBook
    people: People
    access: Access
    limits: Limits
    tickets: Tickets
    past: Past
    counters: Counters
    feedback: Feedback
    pipeline: Pipeline
    unasked: Unasked[Turn]


def make_services(
    settings: Settings,
    bot: Bot,
    checks: Checks,
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
