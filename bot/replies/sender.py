"""Sends a reply: pictures, caption and buttons, as an answer to the message that was sent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from telegram import Bot, InlineKeyboardMarkup, InputMediaPhoto, Message, ReplyParameters
from telegram.error import BadRequest

from bot.i18n import texts_in
from bot.replies import captions, keyboards
from bot.replies.captions import Caption, PictureResult
from bot.replies.photo import as_photo
from bot.state.callback_data import CallbackData, CallbackDataStore
from bot.state.reply_queue import Item, Kind, Note, Reply, ReplyStore, Stage
from bot.state.users import Users
from bot.team import TeamChats
from bot.transport.retry import reason_of, retry_telegram
from unmask.queue.check_queue import CheckQueue
from unmask.settings import Settings
from unmask.wording.errors import INCIDENT

_log = logging.getLogger(__name__)
#: The hint that files are better than photos, which a user gets once.
_FILES_HINT = "files"


@dataclass(frozen=True)
class _Picture:
    """A picture of a reply, ready to be sent, with its number in the caption."""

    result: PictureResult
    jpeg: bytes
    number: int


class ReplySender:
    """Sends replies. One that may have been sent before a crash is sent again, and says so."""

    def __init__(
        self,
        bot: Bot,
        checks: CheckQueue,
        replies: ReplyStore,
        callbacks: CallbackDataStore,
        users: Users,
        settings: Settings,
        team: TeamChats,
    ) -> None:
        self._bot = bot
        self._checks = checks
        self._replies = replies
        self._callbacks = callbacks
        self._users = users
        self._settings = settings
        self._team = team

    async def send(self, reply: Reply) -> None:
        """Send a reply. Raises Telegram's refusal, or its last failure when the reply is older than
        ``UNMASK_MAX_WAIT``."""
        loaded = await asyncio.gather(*(self._load(item) for item in reply.items))
        results = await self._with_team(reply, [result for result, _ in loaded])
        pictures = [
            _Picture(result, jpeg, number)
            for number, (result, (_, jpeg)) in enumerate(zip(results, loaded, strict=True), 1)
            if jpeg is not None
        ]
        if reply.stage is Stage.SHOWN:
            await self._send_album_buttons(reply, pictures)
            return
        reply.may_repeat = reply.may_repeat or reply.stage is Stage.SENDING
        if not pictures:
            await self._mark_sending(reply)
            caption = captions.failures(texts_in(reply.language), results, reply.skipped)
            await self._send_text(reply, caption)
        elif len(results) == 1:
            await self._send_one(reply, pictures[0])
        else:
            await self._send_many(reply, results, pictures)

    async def apologise(self, reply: Reply, incident: str) -> None:
        """Send that something went wrong, with the incident number that the log has too."""
        text = texts_in(reply.language).gettext(INCIDENT, incident=incident)
        await self._send_text(reply, Caption(text))

    async def _load(self, item: Item) -> tuple[PictureResult, bytes | None]:
        """The result of one picture, and the annotated picture in a form that Telegram accepts."""
        outcome = item.outcome
        if outcome.error is None:
            check, jpeg = await asyncio.gather(
                self._checks.get(outcome.check),
                self._checks.result(outcome.check, "annotated.jpg"),
            )
            report = check.report if check else None
            if report is not None and jpeg is not None:
                photo, is_smaller = await asyncio.to_thread(as_photo, jpeg)
                if is_smaller:
                    outcome.add_note(Note.SHRUNK)
                return PictureResult(item, report), photo
        return PictureResult(item, error=outcome.error or {"code": "not_found"}), None

    async def _with_team(
        self, reply: Reply, results: Sequence[PictureResult]
    ) -> list[PictureResult]:
        """The results with what the team says; as they are in a chat that may not read it."""
        sha256s = [result.report.sha256 for result in results if result.report]
        chat = await self._team.of(reply.chat, reply.user) if sha256s else None
        if chat is None:
            return list(results)
        answers = await chat.desk.look_up(sha256s, chat.reader)
        return [
            replace(result, team=answers.get(result.report.sha256)) if result.report else result
            for result in results
        ]

    async def _send_one(self, reply: Reply, picture: _Picture) -> None:
        item = picture.result.item
        hint = item.sent.kind is Kind.PHOTO and not reply.group
        hint = hint and not await self._users.has_hint(reply.user, _FILES_HINT)
        caption = captions.single(
            texts_in(reply.language),
            picture.result,
            reply.origin,
            hint=hint,
            may_repeat=reply.may_repeat,
        )
        token = await self._store_callback(reply, item)
        if hint:
            await self._users.mark_hint(reply.user, _FILES_HINT)
        await self._mark_sending(reply)
        await self._send_photo(reply, picture.jpeg, caption, self._keyboard(reply, item, token))

    async def _send_many(
        self, reply: Reply, results: Sequence[PictureResult], pictures: Sequence[_Picture]
    ) -> None:
        """Send several pictures as one album. An album cannot have buttons, so a second message
        has them."""
        caption = captions.album(
            texts_in(reply.language),
            results,
            reply.origin,
            skipped=reply.skipped,
            may_repeat=reply.may_repeat,
        )
        if len(pictures) == 1:
            item = pictures[0].result.item
            token = await self._store_callback(reply, item)
            keyboard = self._keyboard(reply, item, token)
            await self._mark_sending(reply)
            await self._send_photo(reply, pictures[0].jpeg, caption, keyboard)
            return
        await self._mark_sending(reply)
        try:
            messages = await self._send_media_group(reply, pictures, caption)
        except BadRequest as refusal:
            _log.warning("an album was refused", extra={"why": reason_of(refusal)})
            messages = [await self._send_text(reply, caption)]
        reply.message_ids = [message.message_id for message in messages]
        reply.stage = Stage.SHOWN
        await self._replies.save(reply)
        await self._send_album_buttons(reply, pictures)

    async def _send_album_buttons(self, reply: Reply, pictures: Sequence[_Picture]) -> None:
        album = self._callbacks.new_token()
        pages = [
            await self._store_callback(reply, picture.result.item, album) for picture in pictures
        ]
        numbers = [picture.number for picture in pictures]
        await self._save_callback(
            album,
            CallbackData(
                user=reply.user,
                owner=reply.user,
                chat=reply.chat,
                pages=tuple(pages),
                numbers=tuple(numbers),
            ),
        )
        text = texts_in(reply.language).gettext("Mask, heatmap and more, for each picture:")
        await self._send_text(
            reply,
            Caption(text),
            keyboards.below_album(album, numbers),
            reply.message_ids[0] if reply.message_ids else None,
        )

    async def _store_callback(self, reply: Reply, item: Item, album: str = "") -> str:
        """Store what the buttons of one picture belong to; returns its token."""
        token = self._callbacks.new_token()
        callback = CallbackData(
            user=reply.user,
            owner=item.outcome.owner or reply.user,
            chat=reply.chat,
            check=item.outcome.check,
            item=item if item.outcome.similar else None,
            album=album,
        )
        await self._save_callback(token, callback)
        return token

    async def _save_callback(self, token: str, callback: CallbackData) -> None:
        await self._callbacks.save(token, callback)
        await self._users.own(callback.user, f"ticket:{token}")

    def _keyboard(self, reply: Reply, item: Item, token: str) -> InlineKeyboardMarkup:
        return keyboards.below_picture(
            texts_in(reply.language),
            token,
            report_url=keyboards.report_url(self._settings.public_url, item.outcome.check),
            examine_again=item.outcome.similar,
        )

    async def _mark_sending(self, reply: Reply) -> None:
        """Store that the reply is about to be sent."""
        # ``reply`` itself changes only after that: if storing fails, nothing was sent.
        await self._replies.save(reply.model_copy(update={"stage": Stage.SENDING}))
        reply.stage = Stage.SENDING

    async def _send_photo(
        self, reply: Reply, jpeg: bytes, caption: Caption, keyboard: InlineKeyboardMarkup
    ) -> None:
        async def send() -> Message:
            return await self._bot.send_photo(
                reply.chat,
                jpeg,
                filename="annotated.jpg",
                caption=caption.text,
                caption_entities=caption.entities,
                reply_markup=keyboard,
                reply_parameters=_reply_parameters(reply.reply_to),
                message_thread_id=reply.thread,
            )

        try:
            await retry_telegram(send, self._deadline(reply))
        except BadRequest as refusal:  # a group may allow only text
            _log.warning("a photo was refused", extra={"why": reason_of(refusal)})
            await self._send_text(reply, caption, keyboard)

    async def _send_media_group(
        self, reply: Reply, pictures: Sequence[_Picture], caption: Caption
    ) -> Sequence[Message]:
        async def send() -> Sequence[Message]:
            media = [
                InputMediaPhoto(
                    picture.jpeg,
                    filename=f"annotated-{picture.number}.jpg",
                    caption=None if index else caption.text,
                    caption_entities=None if index else caption.entities,
                )
                for index, picture in enumerate(pictures)
            ]
            return await self._bot.send_media_group(
                reply.chat,
                media,
                reply_parameters=_reply_parameters(reply.reply_to),
                message_thread_id=reply.thread,
            )

        return await retry_telegram(send, self._deadline(reply))

    async def _send_text(
        self,
        reply: Reply,
        caption: Caption,
        keyboard: InlineKeyboardMarkup | None = None,
        reply_to: int | None = None,
    ) -> Message:
        async def send() -> Message:
            return await self._bot.send_message(
                reply.chat,
                caption.text,
                entities=caption.entities,
                reply_markup=keyboard,
                reply_parameters=_reply_parameters(reply_to or reply.reply_to),
                message_thread_id=reply.thread,
            )

        return await retry_telegram(send, self._deadline(reply))

    def _deadline(self, reply: Reply) -> float:
        return reply.created + self._settings.max_wait


def _reply_parameters(message: int) -> ReplyParameters:
    return ReplyParameters(message, allow_sending_without_reply=True)
