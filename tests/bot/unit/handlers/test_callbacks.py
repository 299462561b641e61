"""The handlers of pressed buttons, without the rest of the bot."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest

from bot.context import UpdateContext
from bot.handlers import results
from bot.i18n import texts_in
from bot.state.callback_data import CallbackData
from bot.state.reply_queue import Item, Kind, Note, Outcome, Reply, SentPicture
from unmask.errors import UnmaskError

pytestmark = pytest.mark.anyio


def press(*limited: UnmaskError | None) -> tuple[UpdateContext, Any]:
    """The context of a button pressed by user 1 in chat 5, and its services: the limits return
    ``limited``, one after the other."""
    errors = iter(limited)

    async def picture(user: int, chat: int) -> UnmaskError | None:
        assert (user, chat) == (1, 5)
        return next(errors)

    limits = SimpleNamespace(picture=picture)
    services: Any = SimpleNamespace(limits=limits, pipeline=AsyncMock())
    message: Any = SimpleNamespace(is_topic_message=False)
    query: Any = SimpleNamespace(id="q", answer=AsyncMock())
    context = UpdateContext(
        services=services,
        update_id=1,
        user=1,
        chat=5,
        group=False,
        texts=texts_in("en"),
        message=message,
        query=query,
    )
    return context, services


def similar_result() -> CallbackData:
    """What the buttons belong to where the result of a similar picture is shown."""
    sent = SentPicture(kind=Kind.STICKER, message=3, file="f", unique="u", is_preview=True)
    outcome = Outcome(phash="00", similar=True, check="c", owner=2, notes=[Note.SHRUNK])
    item = Item(sent=sent, outcome=outcome)
    return CallbackData(user=1, owner=2, chat=5, check="c", item=item)


async def test_an_examination_again_counts_as_a_picture() -> None:
    limited = UnmaskError("rate_limited", "", limit=1, retry_after=30)
    context, services = press(None, limited)
    await results.examine_again(context, similar_result())
    services.pipeline.take.assert_awaited_once()
    await results.examine_again(context, similar_result())
    services.pipeline.take.assert_awaited_once()
    query: Any = context.query
    query.answer.assert_awaited_with("Please wait 30 seconds.", show_alert=True)


async def test_an_examination_again_takes_the_picture_as_it_was_sent() -> None:
    context, services = press(None)
    await results.examine_again(context, similar_result())
    reply: Reply = services.pipeline.take.await_args[0][0]
    (item,) = reply.items
    assert reply.ignore_history and item.notes == [Note.THUMBNAIL]
    assert item.sent == SentPicture(
        kind=Kind.STICKER, message=3, file="f", unique="u", is_preview=True
    )
    assert item.outcome == Outcome(phash="00")
