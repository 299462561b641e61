"""Creates the services that the handlers share."""

from __future__ import annotations

from redis import asyncio as aioredis
from telegram import Bot

from bot.context import Services
from bot.examination import Examination
from bot.files import Files
from bot.pipeline import Pipeline
from bot.replies.sender import ReplySender
from bot.state.access import Access
from bot.state.callback_data import CallbackDataStore
from bot.state.counters import Counters
from bot.state.feedback import Feedback
from bot.state.history import History
from bot.state.limits import Limits
from bot.state.links import Links
from bot.state.pending_albums import PendingAlbums
from bot.state.redis_keys import Keys
from bot.state.reply_queue import ReplyStore
from bot.state.users import Users
from bot.team import TeamChats, TeamDesk
from bot.transport.inbox import Inbox
from unmask.fetch import Fetcher
from unmask.queue.check_queue import CheckQueue
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
    desk: TeamDesk | None = None,
) -> Services:
    """All services; ``owner_key`` is the secret with which users are hashed for feedback and
    for the desk.

    Raises :class:`SettingsError` for invalid settings.
    """
    users = Users(redis, keys, settings.retention)
    history = History(redis, keys, checks, settings)
    replies = ReplyStore(redis, keys)
    callbacks = CallbackDataStore(redis, keys, settings.retention)
    counters = Counters(redis, keys)
    access = Access(redis, keys, settings)
    links = Links(redis, keys, owner_key)
    team = TeamChats(desk, access, links)
    pipeline = Pipeline(
        bot=bot,
        replies=replies,
        examination=Examination(
            replies=replies,
            checks=checks,
            files=Files(bot, checks, history, fetcher, settings),
            history=history,
            users=users,
            settings=settings,
        ),
        sender=ReplySender(bot, checks, replies, callbacks, users, settings, team),
        counters=counters,
        settings=settings,
    )
    return Services(
        settings=settings,
        bot=bot,
        checks=checks,
        inbox=Inbox(redis, keys),
        replies=replies,
        users=users,
        access=access,
        limits=limits,
        callbacks=callbacks,
        history=history,
        counters=counters,
        feedback=Feedback(settings, owner_key),
        pipeline=pipeline,
        pending_albums=PendingAlbums(),
        links=links,
        team=team,
    )
