"""Shows that the bot works on a reply: a reaction, then "is sending a photo"."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from telegram import Bot, ReactionTypeEmoji
from telegram.constants import ChatAction, ReactionEmoji
from telegram.error import TelegramError

from bot.state.reply_queue import Reply, Stage

#: Telegram shows "is sending a photo" for five seconds.
_ACTION_SECONDS, _MAX_ACTION_SECONDS = 4.5, 60.0


@contextlib.asynccontextmanager
async def showing_activity(bot: Bot, reply: Reply) -> AsyncIterator[None]:
    """Show, from the start to the end of the block, that the bot works on a reply."""
    task = asyncio.create_task(_show(bot, reply))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _show(bot: Bot, reply: Reply) -> None:
    if reply.stage is not Stage.WAITING:
        return
    eyes = ReactionTypeEmoji(ReactionEmoji.EYES)
    message = reply.items[0].sent.message if reply.complete_at else reply.reply_to
    try:
        await bot.set_message_reaction(reply.chat, message, eyes)
    except TelegramError:  # a chat may allow no reactions
        await _show_action(bot, reply)
    pause = _ACTION_SECONDS
    while True:  # less and less often: if many replies wait for long, each costs calls
        await asyncio.sleep(pause)
        await _show_action(bot, reply)
        pause = min(1.5 * pause, _MAX_ACTION_SECONDS)


async def _show_action(bot: Bot, reply: Reply) -> None:
    with contextlib.suppress(TelegramError):
        await bot.send_chat_action(
            reply.chat, ChatAction.UPLOAD_PHOTO, message_thread_id=reply.thread
        )
