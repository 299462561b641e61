"""Files of Telegram: their bytes, and the error if Telegram does not hand one out."""

from __future__ import annotations

from typing import Any

import pytest
from telegram.error import BadRequest, InvalidToken, NetworkError, TelegramError

from bot.files import Files
from bot.state.reply_queue import Kind, SentPicture
from unmask.errors import UnmaskError
from unmask.settings import Settings

pytestmark = pytest.mark.anyio
MB = 1_000_000


class EmptyHistory:
    """A history without files."""

    async def check_of_file(self, unique: str) -> None:
        return None


class Telegram:
    """Hands out one file. ``refusal`` is raised by ``get_file``, ``lost`` by the download."""

    def __init__(
        self, refusal: TelegramError | None = None, lost: TelegramError | None = None
    ) -> None:
        self.refusal = refusal
        self.lost = lost
        self.file_size = 4

    async def get_file(self, file: str) -> Telegram:
        if self.refusal:
            raise self.refusal
        return self

    async def download_as_bytearray(self) -> bytearray:
        if self.lost:
            raise self.lost
        return bytearray(b"data")


async def read(telegram: Any, size: int = 4, max_bytes: int = 20 * MB) -> bytes:
    unused: Any = None
    history: Any = EmptyHistory()
    files = Files(telegram, unused, history, unused, Settings(max_bytes=max_bytes))
    sent = SentPicture(kind=Kind.FILE, message=1, file="f", unique="u", size=size)
    data, notes = await files.read(sent)
    assert notes == ()
    return data


async def test_a_file() -> None:
    assert await read(Telegram()) == b"data"


@pytest.mark.parametrize(
    ("size", "max_bytes", "limit"),
    [(60 * MB, 50 * MB, 50 * MB), (9 * MB, 5 * MB, 5 * MB), (30 * MB, 50 * MB, 20 * MB)],
)
async def test_the_error_names_the_limit_that_applies(
    size: int, max_bytes: int, limit: int
) -> None:
    """The bot's own limit, or Telegram's, which a self-hosted Bot API server does not have."""
    telegram = Telegram(BadRequest("File is too big"))
    with pytest.raises(UnmaskError) as refused:
        await read(telegram, size, max_bytes)
    assert (refused.value.code, refused.value.detail["limit"]) == ("too_many_bytes", limit)


@pytest.mark.parametrize(
    "telegram",
    [
        Telegram(BadRequest("wrong file_id or the file is temporarily unavailable")),
        Telegram(lost=InvalidToken("Not Found")),
    ],
)
async def test_a_file_that_telegram_does_not_hand_out(telegram: Telegram) -> None:
    with pytest.raises(UnmaskError) as missing:
        await read(telegram)
    assert missing.value.code == "picture_missing"


@pytest.mark.parametrize("fault", [NetworkError("Bad Gateway"), InvalidToken("Unauthorized")])
async def test_an_error_that_is_not_about_the_file_is_raised(fault: TelegramError) -> None:
    with pytest.raises(type(fault)):
        await read(Telegram(fault))
