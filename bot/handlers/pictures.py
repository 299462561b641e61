"""Messages: the pictures in them are taken on, anything else gets a friendly text."""

from __future__ import annotations

import contextlib

from telegram.constants import ReactionEmoji
from telegram.error import TelegramError

from bot.context import UpdateContext
from bot.i18n import gettext_noop
from bot.media import Inbound, Refusal, read_message
from bot.replies.messages import duration
from bot.state.reply_queue import Item, Kind, Outcome, Reply, SentPicture
from unmask.errors import UnmaskError

#: How many URLs of one message are examined.
MAX_URLS = 5
_REFUSALS = {
    Refusal.VIDEO: gettext_noop(
        "I cannot examine videos yet, only photographs. Send a still of it: a screenshot of the "
        "face, as large as it gets."
    ),
    Refusal.SOUND: gettext_noop("I examine photographs, not sound."),
    Refusal.DOCUMENT: gettext_noop(
        "This file is not a picture. Send a photograph, best as a file."
    ),
    Refusal.OWN_REPLY: gettext_noop(
        "This is my own answer. Reply to the picture that it is about."
    ),
}


async def receive(context: UpdateContext) -> None:
    """Handle a message. In a group only one that calls the bot is handled."""
    bot = context.services.bot
    inbound = read_message(context.message, bot.username, bot.id)
    if not context.group or inbound.addressed or _joins_album(context, inbound):
        await _handle(context, inbound)
    elif inbound.album and inbound.pictures:
        context.services.pending_albums.add(album_id(context, inbound), (context, inbound))


def album_id(context: UpdateContext, inbound: Inbound) -> str:
    """The id of the reply to an album."""
    return f"{context.chat}.album.{inbound.album}"


def _joins_album(context: UpdateContext, inbound: Inbound) -> bool:
    """Whether a picture belongs to an album that the bot was called for: only one message of an
    album has the words that call it."""
    pipeline = context.services.pipeline
    return bool(inbound.album) and pipeline.is_collecting(album_id(context, inbound))


async def _handle(context: UpdateContext, inbound: Inbound) -> None:
    if inbound.refusal is not None:
        await context.reply_text(context.texts.gettext(_REFUSALS[inbound.refusal]))
    elif inbound.pictures:
        await _take_picture(context, inbound)
    elif inbound.urls:
        await _take_urls(context, inbound)
    else:
        await _explain_use(context)


async def _take_picture(context: UpdateContext, inbound: Inbound) -> None:
    services = context.services
    limited = await services.limits.picture(context.user, context.chat)
    if limited is not None and not inbound.album:
        await _tell_to_wait(context, limited)
        return
    reply = _reply(context, inbound, [_item(sent, limited) for sent in inbound.pictures])
    if not inbound.album:
        await services.pipeline.take(reply, context.update_id)
        return
    reply.id = album_id(context, inbound)
    await services.pipeline.take_part(reply, context.update_id)
    for pending_context, pending in services.pending_albums.pop(reply.id):
        await _take_picture(pending_context, pending)


async def _take_urls(context: UpdateContext, inbound: Inbound) -> None:
    items: list[Item] = []
    for number, url in enumerate(inbound.urls[:MAX_URLS]):
        limited = await context.services.limits.picture(context.user, context.chat)
        if limited is not None and not items:
            await _tell_to_wait(context, limited)
            return
        sent = SentPicture(kind=Kind.URL, message=inbound.message, number=number, url=url)
        items.append(_item(sent, limited))
    reply = _reply(context, inbound, items)
    reply.skipped = max(len(inbound.urls) - MAX_URLS, 0)
    await context.services.pipeline.take(reply, context.update_id)


def _item(sent: SentPicture, limited: UnmaskError | None) -> Item:
    """A picture of a reply; one that is over the limit has its error already."""
    error = limited.as_json()["error"] if limited else None
    return Item(sent=sent, outcome=Outcome(error=error))


def _reply(context: UpdateContext, inbound: Inbound, items: list[Item]) -> Reply:
    return Reply(
        id=f"{context.chat}.{context.message.message_id}",
        chat=context.chat,
        group=context.group,
        thread=context.thread,
        reply_to=inbound.message,
        user=context.user,
        language=context.texts.language,
        items=items,
        origin=inbound.origin,
    )


async def _tell_to_wait(context: UpdateContext, limited: UnmaskError) -> None:
    """Mark a message that is over the limit; the reason is sent once."""
    seconds = int(limited.detail["retry_after"])
    with contextlib.suppress(TelegramError):
        await context.message.set_reaction(ReactionEmoji.SHRUG)
    if await context.services.limits.begin_wait(context.chat, seconds):
        await context.reply_text(
            context.texts.gettext(
                "Those were many pictures. Please wait {wait}, then send again what I marked "
                "with 🤷.",
                wait=duration(context.texts, seconds),
            )
        )


async def _explain_use(context: UpdateContext) -> None:
    if context.group:
        await context.reply_text(
            context.texts.gettext("Reply with /check to a picture, or mention me in its caption.")
        )
    else:
        await context.reply_text(
            context.texts.gettext(
                "Send me a photograph of a face, best as a file. /help tells more."
            )
        )
