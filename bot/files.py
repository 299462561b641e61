"""Fetches the bytes of a picture: from Telegram, from a URL, or from the store of results."""

from __future__ import annotations

import asyncio

from telegram import Bot, File
from telegram.error import BadRequest, Forbidden, InvalidToken

from bot.state.history import History
from bot.state.reply_queue import Kind, Note, SentPicture
from unmask.errors import UnmaskError
from unmask.fetch import Fetcher
from unmask.queue.check_queue import CheckQueue
from unmask.settings import Settings
from unmask.video import first_frame, is_clip

#: How many bytes Telegram's Bot API hands out at most; a self-hosted one has no such limit.
TELEGRAM_BYTES = 20_000_000
#: How many clips are decoded at the same time.
_CLIP_CONCURRENCY = 2

Fetched = tuple[bytes, tuple[Note, ...]]


class Files:
    """Fetches pictures. Each lies in memory as a whole, so the caller limits how many it fetches at
    the same time."""

    def __init__(
        self, bot: Bot, checks: CheckQueue, history: History, fetcher: Fetcher, settings: Settings
    ) -> None:
        self._bot = bot
        self._checks = checks
        self._history = history
        self._fetcher = fetcher
        self._settings = settings
        self._clips = asyncio.Semaphore(_CLIP_CONCURRENCY)

    async def read(self, sent: SentPicture, user: int = 0) -> Fetched:
        """The picture's bytes, and notes on how they were obtained.

        A URL is fetched in the share of ``user``. Raises what :meth:`Fetcher.fetch` does,
        ``too_many_bytes``, ``picture_missing`` (Telegram does not hand it out) or
        ``unsupported_format`` (a clip without a readable frame); and telegram's NetworkError or
        RetryAfter, after which the caller may try again.
        """
        if sent.kind is Kind.URL:
            return await self._fetcher.fetch(sent.url, str(user)), ()
        stored = await self._stored(sent)
        if stored is not None:
            return stored, (Note.FIRST_FRAME,) if sent.kind is Kind.CLIP else ()
        data = await self._download(sent.file, sent.size)
        return await self._first_picture(sent, data) if sent.kind is Kind.CLIP else (data, ())

    async def _stored(self, sent: SentPicture) -> bytes | None:
        """The bytes of a file that somebody sent before, without asking Telegram."""
        check = await self._history.check_of_file(sent.unique)
        if check is None:
            return None
        try:
            return await self._checks.picture(check)
        except UnmaskError as error:
            if error.code != "picture_missing":
                raise
            return None

    async def _download(self, file_id: str, size: int) -> bytes:
        self._check_size(size)
        try:
            file = await self._bot.get_file(file_id)
            self._check_size(file.file_size or 0)
            data = bytes(await _content(file))
        except (BadRequest, Forbidden) as refusal:
            if "too big" in refusal.message.lower():
                raise _too_large(min(self._settings.max_bytes, TELEGRAM_BYTES)) from refusal
            raise _missing() from refusal
        self._check_size(len(data))
        return data

    async def _first_picture(self, sent: SentPicture, data: bytes) -> Fetched:
        """The first frame of a clip, else Telegram's small copy of it.

        A GIF that Telegram did not convert is returned as it is: it is decoded like any picture.
        """
        if not is_clip(data):
            return data, ()
        async with self._clips:
            frame = await first_frame(data)
        if frame is not None:
            return frame, (Note.FIRST_FRAME,)
        if not sent.thumbnail:
            raise UnmaskError("unsupported_format", "No frame of this clip can be read.")
        return await self._download(sent.thumbnail, 0), (Note.THUMBNAIL,)

    def _check_size(self, size: int) -> None:
        if size > self._settings.max_bytes:
            raise _too_large(self._settings.max_bytes)


async def _content(file: File) -> bytearray:
    try:
        return await file.download_as_bytearray()
    except InvalidToken as refusal:  # a 404, which is about the token only if a method is called
        raise _missing() from refusal


def _too_large(limit: int) -> UnmaskError:
    return UnmaskError("too_many_bytes", "The file is too large.", limit=limit)


def _missing() -> UnmaskError:
    return UnmaskError("picture_missing", "Telegram does not hand this file over; send it again.")
