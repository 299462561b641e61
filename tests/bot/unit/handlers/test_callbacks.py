"""What follows a pressed button, where the whole bot is not needed to see it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest

from bot.context import Turn
from bot.handlers import results
from bot.i18n import words
from bot.state.callback_data import Ticket
from bot.state.reply_queue import Item, Kind, Note, Order
from unmask.errors import UnmaskError

pytestmark = pytest.mark.anyio


def pressed(*answers: UnmaskError | None) -> tuple[Turn, Any]:
    """A press by a user in a chat, 1 and 5, and the services: the limits say ``answers``."""
    said = iter(answers)

    async def picture(user: int, chat: int) -> UnmaskError | None:
        assert (user, chat) == (1, 5)
        return next(said)

    limits = SimpleNamespace(picture=picture)
    services: Any = SimpleNamespace(limits=limits, pipeline=AsyncMock())
    message: Any = SimpleNamespace(is_topic_message=False)
    query: Any = SimpleNamespace(id="q", answer=AsyncMock())
    turn = Turn(
        services=services,
        update_id=1,
        user=1,
        chat=5,
        group=False,
        words=words("en"),
        message=message,
        query=query,
    )
    return turn, services


def ticket() -> Ticket:
    item = Item(
        kind=Kind.STICKER,
        message=3,
        file="f",
        unique="u",
        bits="00",
        alike=True,
        check="c",
        owner=2,
    )
    item.notes = [Note.THUMBNAIL, Note.SHRUNK]
    return Ticket(asker=1, owner=2, chat=5, check="c", item=item)


async def test_what_is_examined_anew_counts_as_a_picture() -> None:
    limited = UnmaskError("rate_limited", "", limit=1, retry_after=30)
    turn, services = pressed(None, limited)
    await results.anew(turn, ticket())
    services.pipeline.take.assert_awaited_once()
    await results.anew(turn, ticket())
    services.pipeline.take.assert_awaited_once()
    query: Any = turn.query
    query.answer.assert_awaited_with("Please wait 30 seconds.", show_alert=True)


async def test_what_is_examined_anew_is_as_it_was_sent() -> None:
    turn, services = pressed(None)
    await results.anew(turn, ticket())
    order: Order = services.pipeline.take.await_args[0][0]
    assert order.anew and order.items == [
        Item(
            kind=Kind.STICKER,
            message=3,
            file="f",
            unique="u",
            bits="00",
            notes=[Note.THUMBNAIL],
        )
    ]
