"""Whatever is sent: the pictures in it are taken, for anything else there is a friendly word."""

from __future__ import annotations

import contextlib

from telegram import Message
from telegram.constants import ReactionEmoji
from telegram.error import TelegramError

from bot.context import Turn
from bot.i18n import later
from bot.media import MOST_URLS, Refused, is_addressed, origin_of, picture_in, urls_in
from bot.replies.messages import duration
from bot.state.reply_queue import Item, Kind, Order
from unmask.errors import UnmaskError

_REFUSALS = {
    Refused.VIDEO: later(
        "I cannot examine videos yet, only photographs. Send a still of it: a screenshot of the "
        "face, as large as it gets."
    ),
    Refused.SOUND: later("I examine photographs, not sound."),
    Refused.DOCUMENT: later("This file is not a picture. Send a photograph, best as a file."),
}


async def arrived(turn: Turn) -> None:
    """A message in a private chat, or in a group, where only those that ask are dealt with."""
    message, bot = turn.message, turn.services.bot
    asked = is_addressed(message, bot.username, bot.id)
    target = _target(message, asked)
    found = picture_in(target, target.message_id)
    if turn.group and not asked and not _joins(turn, message):
        if message.media_group_id and isinstance(found, Item):
            turn.services.unasked.hold(album_id(message), turn)
        return
    if found is None and target is message and message.external_reply is not None and asked:
        found = picture_in(message.external_reply, message.message_id)
    if isinstance(found, Refused):
        await turn.reply(turn.words.say(_REFUSALS[found]))
    elif found is not None:
        await _take_picture(turn, target, found)
    else:
        await _take_urls(turn, target)


def album_id(message: Message) -> str:
    """The name of the order for an album."""
    return f"{message.chat.id}.album.{message.media_group_id}"


def _target(message: Message, asked: bool) -> Message:
    """The message that holds the picture: the one sent or, if the bot is asked in a reply, the
    one replied to."""
    other = message.reply_to_message
    if not asked or other is None or picture_in(message, 0) is not None or urls_in(message):
        return message
    return other


def _joins(turn: Turn, message: Message) -> bool:
    """Whether a picture belongs to an album for which the bot was asked: only one of an album's
    messages has the words."""
    return bool(message.media_group_id) and turn.services.pipeline.is_collecting(album_id(message))


async def _take_picture(turn: Turn, target: Message, item: Item) -> None:
    own = target.from_user is not None and target.from_user.id == turn.services.bot.id
    if own and target.message_id != turn.message.message_id:
        await turn.reply(
            turn.words.say("This is my own answer. Reply to the picture that it is about.")
        )
        return
    limited = await turn.services.limits.picture(turn.user, turn.chat)
    whole = turn.message.media_group_id if target is turn.message else None
    if limited is not None and not whole:
        await _say_wait(turn, limited)
        return
    if limited is not None:
        item.error = limited.as_json()["error"]
    order = _order(turn, target, [item])
    if whole:
        order.id = album_id(turn.message)
        await turn.services.pipeline.take_part(order, turn.update_id)
        for earlier in turn.services.unasked.take(order.id):
            await arrived(earlier)
    else:
        await turn.services.pipeline.take(order, turn.update_id)


async def _take_urls(turn: Turn, target: Message) -> None:
    urls = urls_in(target)
    if not urls:
        await _say_how(turn)
        return
    items: list[Item] = []
    for number, url in enumerate(urls[:MOST_URLS]):
        limited = await turn.services.limits.picture(turn.user, turn.chat)
        if limited is not None and not items:
            await _say_wait(turn, limited)
            return
        item = Item(kind=Kind.URL, message=target.message_id, number=number, url=url)
        item.error = limited.as_json()["error"] if limited else None
        items.append(item)
    order = _order(turn, target, items)
    order.skipped = max(len(urls) - MOST_URLS, 0)
    await turn.services.pipeline.take(order, turn.update_id)


def _order(turn: Turn, target: Message, items: list[Item]) -> Order:
    return Order(
        id=f"{turn.chat}.{turn.message.message_id}",
        chat=turn.chat,
        group=turn.group,
        thread=turn.thread,
        reply_to=target.message_id,
        asker=turn.user,
        language=turn.words.language,
        items=items,
        origin=origin_of(target),
    )


async def _say_wait(turn: Turn, limited: UnmaskError) -> None:
    """Mark what is not taken; why is said once."""
    seconds = int(limited.detail["retry_after"])
    with contextlib.suppress(TelegramError):
        await turn.message.set_reaction(ReactionEmoji.SHRUG)
    if await turn.services.limits.begin_wait(turn.chat, seconds):
        await turn.reply(
            turn.words.say(
                "Those were many pictures. Please wait {wait}, then send again what I marked "
                "with 🤷.",
                wait=duration(turn.words, seconds),
            )
        )


async def _say_how(turn: Turn) -> None:
    if turn.group:
        await turn.reply(
            turn.words.say("Reply with /check to a picture, or mention me in its caption.")
        )
    else:
        await turn.reply(
            turn.words.say("Send me a photograph of a face, best as a file. /help tells more.")
        )
