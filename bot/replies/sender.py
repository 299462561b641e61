"""Gives the answer of an order: pictures, words and buttons, as a reply to what was sent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from telegram import Bot, InlineKeyboardMarkup, InputMediaPhoto, Message, ReplyParameters
from telegram.error import BadRequest

from bot.i18n import words
from bot.replies import captions, keyboards
from bot.replies.captions import Said, Shown
from bot.replies.messages import INCIDENT
from bot.replies.photo import as_photo
from bot.state.callback_data import Ticket, Tickets
from bot.state.reply_queue import Item, Kind, Note, Order, OrderBook, Stage
from bot.state.users import People
from bot.transport.retry import deliver
from unmask.queue import CheckQueue
from unmask.settings import Settings

_log = logging.getLogger(__name__)
#: What a user is told once: that files are better than photos.
_FILES = "files"


@dataclass(frozen=True)
class _Picture:
    """An answer's picture with all that belongs to it."""

    shown: Shown
    jpeg: bytes
    number: int


class Answers:
    """Sends; what may have left before a crash is sent again, and said so."""

    def __init__(
        self,
        bot: Bot,
        checks: CheckQueue,
        book: OrderBook,
        tickets: Tickets,
        people: People,
        settings: Settings,
    ) -> None:
        self._bot = bot
        self._checks = checks
        self._book = book
        self._tickets = tickets
        self._people = people
        self._settings = settings

    async def send(self, order: Order) -> None:
        """Give the answer. Raises what Telegram refuses it with for good, or its last failure
        when the order is older than ``UNMASK_MAX_WAIT``."""
        shown = await asyncio.gather(*(self._shown(item) for item in order.items))
        pictures = [
            _Picture(each, jpeg, number)
            for number, (each, jpeg) in enumerate(shown, 1)
            if jpeg is not None
        ]
        every = [each for each, _ in shown]
        if order.stage is Stage.SHOWN:
            await self._send_buttons(order, pictures)
            return
        order.twice = order.twice or order.stage is Stage.SENDING
        if not pictures:
            await self._begin(order)
            said = captions.failures(words(order.language), every, order.skipped)
            await self._text(order, said)
        elif len(every) == 1:
            await self._send_one(order, pictures[0])
        else:
            await self._send_many(order, every, pictures)

    async def apologise(self, order: Order, incident: str) -> None:
        """Say that something went wrong, and the number under which the log tells what."""
        said = words(order.language).say(INCIDENT, incident=incident)
        await self._text(order, Said(said))

    async def _shown(self, item: Item) -> tuple[Shown, bytes | None]:
        """What is to be shown of one picture, and the annotated picture as Telegram takes it."""
        if item.error is None:
            report, jpeg = await asyncio.gather(
                self._checks.report(item.check),
                self._checks.result_picture(item.check, "annotated.jpg"),
            )
            if report is not None and jpeg is not None:
                photo, smaller = await asyncio.to_thread(as_photo, jpeg)
                if smaller and Note.SHRUNK not in item.notes:
                    item.notes.append(Note.SHRUNK)
                return Shown(item, report), photo
        return Shown(item, error=item.error or {"code": "not_found"}), None

    async def _send_one(self, order: Order, picture: _Picture) -> None:
        item, said_in = picture.shown.item, words(order.language)
        hint = item.kind is Kind.PHOTO and not order.group
        hint = hint and not await self._people.was_told(order.asker, _FILES)
        said = captions.single(said_in, picture.shown, order.origin, hint=hint, twice=order.twice)
        token = await self._ticket(order, item)
        keyboard = self._keyboard(order, item, token)
        if hint:
            await self._people.tell(order.asker, _FILES)
        await self._begin(order)
        await self._photo(order, picture.jpeg, said, keyboard)

    async def _send_many(
        self, order: Order, every: Sequence[Shown], pictures: Sequence[_Picture]
    ) -> None:
        """One message of several pictures; it cannot have buttons, so they follow in their own."""
        said = captions.album(
            words(order.language), every, order.origin, skipped=order.skipped, twice=order.twice
        )
        if len(pictures) == 1:
            token = await self._ticket(order, pictures[0].shown.item)
            keyboard = self._keyboard(order, pictures[0].shown.item, token)
            await self._begin(order)
            await self._photo(order, pictures[0].jpeg, said, keyboard)
            return
        await self._begin(order)
        try:
            messages = await self._group(order, pictures, said)
        except BadRequest as refusal:
            _log.warning("an album was refused", extra={"why": refusal.message})
            messages = [await self._text(order, said)]
        order.sent = [message.message_id for message in messages]
        order.stage = Stage.SHOWN
        await self._book.save(order)
        await self._send_buttons(order, pictures)

    async def _send_buttons(self, order: Order, pictures: Sequence[_Picture]) -> None:
        album = self._tickets.token()
        pages = [await self._ticket(order, each.shown.item, album) for each in pictures]
        await self._keep(
            album,
            Ticket(
                asker=order.asker,
                owner=order.asker,
                chat=order.chat,
                pages=tuple(pages),
                numbers=tuple(each.number for each in pictures),
            ),
        )
        keyboard = keyboards.below_album(album, [each.number for each in pictures])
        text = words(order.language).say("Mask, heatmap and more, for each picture:")
        await self._text(order, Said(text), keyboard, order.sent[0] if order.sent else None)

    async def _ticket(self, order: Order, item: Item, album: str = "") -> str:
        token = self._tickets.token()
        ticket = Ticket(
            asker=order.asker,
            owner=item.owner or order.asker,
            chat=order.chat,
            check=item.check,
            item=item if item.alike else None,
            album=album,
        )
        await self._keep(token, ticket)
        return token

    async def _keep(self, token: str, ticket: Ticket) -> None:
        await self._tickets.keep(token, ticket)
        await self._people.own(ticket.asker, f"ticket:{token}")

    def _keyboard(self, order: Order, item: Item, token: str) -> InlineKeyboardMarkup:
        url = keyboards.report_url(self._settings.public_url, item.check)
        return keyboards.below_picture(
            words(order.language), token, report_url=url, anew=item.alike
        )

    async def _begin(self, order: Order) -> None:
        """Write down that the answer is about to leave."""
        # Not before it is written: should that fail, the answer has not left.
        await self._book.save(order.model_copy(update={"stage": Stage.SENDING}))
        order.stage = Stage.SENDING

    async def _photo(
        self, order: Order, jpeg: bytes, said: Said, keyboard: InlineKeyboardMarkup
    ) -> None:
        async def send() -> Message:
            return await self._bot.send_photo(
                order.chat,
                jpeg,
                filename="annotated.jpg",
                caption=said.text,
                caption_entities=said.entities,
                reply_markup=keyboard,
                reply_parameters=_reply(order.reply_to),
                message_thread_id=order.thread,
            )

        try:
            await deliver(send, self._until(order))
        except BadRequest as refusal:  # a group may allow words alone
            _log.warning("a photo was refused", extra={"why": refusal.message})
            await self._text(order, said, keyboard)

    async def _group(
        self, order: Order, pictures: Sequence[_Picture], said: Said
    ) -> Sequence[Message]:
        async def send() -> Sequence[Message]:
            media = [
                InputMediaPhoto(
                    each.jpeg,
                    filename=f"annotated-{each.number}.jpg",
                    caption=None if at else said.text,
                    caption_entities=None if at else said.entities,
                )
                for at, each in enumerate(pictures)
            ]
            return await self._bot.send_media_group(
                order.chat,
                media,
                reply_parameters=_reply(order.reply_to),
                message_thread_id=order.thread,
            )

        return await deliver(send, self._until(order))

    async def _text(
        self,
        order: Order,
        said: Said,
        keyboard: InlineKeyboardMarkup | None = None,
        reply_to: int | None = None,
    ) -> Message:
        async def send() -> Message:
            return await self._bot.send_message(
                order.chat,
                said.text,
                entities=said.entities,
                reply_markup=keyboard,
                reply_parameters=_reply(reply_to or order.reply_to),
                message_thread_id=order.thread,
            )

        return await deliver(send, self._until(order))

    def _until(self, order: Order) -> float:
        return order.created + self._settings.max_wait


def _reply(message: int) -> ReplyParameters:
    return ReplyParameters(message, allow_sending_without_reply=True)
