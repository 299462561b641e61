"""The bytes of what was sent: from Telegram, from a URL, or still in the store."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile

from telegram import Bot, File
from telegram.error import BadRequest, Forbidden, InvalidToken

from bot.state.history import Past
from bot.state.reply_queue import Item, Kind, Note
from unmask.errors import UnmaskError
from unmask.fetch import Fetcher
from unmask.images.clip import is_clip
from unmask.queue import CheckQueue
from unmask.settings import Settings

#: What Telegram hands over at most, in bytes; a Bot API server of one's own has no such limit.
TELEGRAM_BYTES = 20_000_000
_CLIP_SECONDS = 30.0
#: What a decoder of strangers' videos sees of the environment: what an interpreter needs to start.
#: The bot's token, and the passwords in its URLs, are no business of it.
_CLIP_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


class Files:
    """Fetches; who asks sees to it that few do so at one time, for each file lies in memory."""

    def __init__(
        self, bot: Bot, checks: CheckQueue, past: Past, fetcher: Fetcher, settings: Settings
    ) -> None:
        self._bot = bot
        self._checks = checks
        self._past = past
        self._fetcher = fetcher
        self._settings = settings
        self._clips = asyncio.Semaphore(2)

    async def read(self, item: Item) -> bytes:
        """The picture's bytes; notes on ``item`` how they were had.

        Raises what :meth:`Fetcher.fetch` does, ``too_many_bytes``, ``picture_missing`` (Telegram
        does not hand it over) or ``unsupported_format`` (a clip without a frame to be had); and
        telegram's NetworkError or RetryAfter, after which it may be asked again.
        """
        if item.kind is Kind.URL:
            return await self._fetcher.fetch(item.url)
        known = await self._known(item)
        if known is not None:
            return known
        data = await self._download(item.file, item.size)
        return await self._frame(item, data) if item.kind is Kind.CLIP else data

    async def _known(self, item: Item) -> bytes | None:
        """The bytes of a file that somebody sent before, without asking Telegram."""
        check = await self._past.check_of_file(item.unique)
        if check is None:
            return None
        try:
            data = await self._checks.picture(check)
        except UnmaskError as error:
            if error.code != "picture_missing":
                raise
            return None
        if data is not None and item.kind is Kind.CLIP:
            _note(item, Note.FIRST_FRAME)
        return data

    async def _download(self, file: str, size: int) -> bytes:
        self._check_size(size)
        try:
            found = await self._bot.get_file(file)
            self._check_size(found.file_size or 0)
            data = bytes(await _content(found))
        except (BadRequest, Forbidden) as refusal:
            if "too big" in refusal.message.lower():
                raise _too_large(min(self._settings.max_bytes, TELEGRAM_BYTES)) from refusal
            raise _gone() from refusal
        self._check_size(len(data))
        return data

    async def _frame(self, item: Item, data: bytes) -> bytes:
        """The first frame of a clip, else the small picture that Telegram made of it.

        A GIF that Telegram kept as one is read like any picture.
        """
        if not is_clip(data):
            return data
        async with self._clips:
            frame = await _first_frame(data)
        if frame is not None:
            _note(item, Note.FIRST_FRAME)
            return frame
        if not item.thumbnail:
            raise UnmaskError("unsupported_format", "No frame of this clip can be read.")
        _note(item, Note.THUMBNAIL)
        return await self._download(item.thumbnail, 0)

    def _check_size(self, size: int) -> None:
        if size > self._settings.max_bytes:
            raise _too_large(self._settings.max_bytes)


async def _content(file: File) -> bytearray:
    try:
        return await file.download_as_bytearray()
    except InvalidToken as refusal:  # a 404, which only of a method speaks of the token
        raise _gone() from refusal


async def _first_frame(data: bytes) -> bytes | None:
    """The first frame as a PNG; decoded in a process of its own (:mod:`unmask.images.clip`)."""
    seen = {name: os.environ[name] for name in _CLIP_ENVIRONMENT if name in os.environ}
    # The folder is ours: a process that is killed, or ends itself, takes nothing away behind it.
    with tempfile.TemporaryDirectory(prefix="unmask-clip-") as folder:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "unmask.images.clip",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**seen, "TMPDIR": folder},
        )
        try:
            async with asyncio.timeout(_CLIP_SECONDS):
                frame, _ = await process.communicate(data)
        except TimeoutError:
            return None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return frame if process.returncode == 0 and frame else None


def _note(item: Item, note: Note) -> None:
    if note not in item.notes:
        item.notes.append(note)


def _too_large(limit: int) -> UnmaskError:
    return UnmaskError("too_many_bytes", "The file is too large.", limit=limit)


def _gone() -> UnmaskError:
    return UnmaskError("picture_missing", "Telegram does not hand this file over; send it again.")
