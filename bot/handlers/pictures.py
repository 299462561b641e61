"""Messages: the pictures in them are taken on, anything else gets a friendly text."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from telegram.constants import ReactionEmoji
from telegram.error import TelegramError

from bot.context import UpdateContext
from bot.media import Inbound, read_message
from bot.replies.refusals import REFUSALS, Refused
from bot.state.reply_queue import Item, Kind, Outcome, Reply, SentPicture
from unmask.errors import UnmaskError
from unmask.wording.units import duration

#: How many URLs of one message are examined.
MAX_URLS = 5


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
    if inbound.pictures:
        await _take_pictures(context, inbound)
    elif inbound.refusals:
        await context.reply_text(context.texts.gettext(REFUSALS[inbound.refusals[0]]))
    elif inbound.urls:
        await _take_urls(context, inbound)
    else:
        await _explain_use(context)


async def _take_pictures(context: UpdateContext, inbound: Inbound) -> None:
    services = context.services
    items = await _items(context, inbound.pictures, in_album=bool(inbound.album))
    if not items:
        return
    items += [_refused(refusal, inbound) for refusal in inbound.refusals]
    reply = _reply(context, inbound, items)
    if not inbound.album:
        await services.pipeline.take(reply, context.update_id)
        return
    reply.id = album_id(context, inbound)
    await services.pipeline.take_part(reply, context.update_id)
    for pending_context, pending in services.pending_albums.pop(reply.id):
        await _take_pictures(pending_context, pending)


async def _take_urls(context: UpdateContext, inbound: Inbound) -> None:
    sent = [
        SentPicture(kind=Kind.URL, message=inbound.message, number=number, url=url)
        for number, url in enumerate(inbound.urls[:MAX_URLS])
    ]
    items = await _items(context, sent)
    if not items:
        return
    reply = _reply(context, inbound, items)
    reply.skipped = max(len(inbound.urls) - MAX_URLS, 0)
    await context.services.pipeline.take(reply, context.update_id)


async def _items(
    context: UpdateContext, pictures: Sequence[SentPicture], *, in_album: bool = False
) -> list[Item]:
    """The pictures of a reply, each counted; one that is over the limit has its error already.

    Empty if the first one is over the limit: then the user was told to wait. Each picture of an
    album comes in a message of its own, so there it only gets its error.
    """
    items: list[Item] = []
    for sent in pictures:
        limited = await context.services.limits.picture(context.user, context.chat)
        if limited is not None and not items and not in_album:
            await _tell_to_wait(context, limited)
            return []
        error = limited.as_json()["error"] if limited else None
        items.append(Item(sent=sent, outcome=Outcome(error=error)))
    return items


def _refused(refusal: Refused, inbound: Inbound) -> Item:
    """A part of a message that is not examined, beside others that are."""
    error = UnmaskError("not_a_picture", "It is not examined.", refusal=refusal)
    sent = SentPicture(kind=Kind.FILE, message=inbound.message)
    return Item(sent=sent, outcome=Outcome(error=error.as_json()["error"]))


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
