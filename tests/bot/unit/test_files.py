"""Files of Telegram: what is handed over, and what is said when one is not."""

from __future__ import annotations

from typing import Any

import pytest
from telegram.error import BadRequest, InvalidToken, NetworkError, TelegramError

from bot.files import Files
from bot.state.reply_queue import Item, Kind
from unmask.errors import UnmaskError
from unmask.settings import Settings

pytestmark = pytest.mark.anyio
MB = 1_000_000


class Nothing:
    """A past without files."""

    async def check_of_file(self, unique: str) -> None:
        return None


class Telegram:
    """Hands one file over; ``refusal`` meets who asks for it, ``lost`` who then downloads it."""

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
    past: Any = Nothing()
    files = Files(telegram, unused, past, unused, Settings(max_bytes=max_bytes))
    return await files.read(Item(kind=Kind.FILE, message=1, file="f", unique="u", size=size))


async def test_a_file() -> None:
    assert await read(Telegram()) == b"data"


@pytest.mark.parametrize(
    ("size", "max_bytes", "limit"),
    [(60 * MB, 50 * MB, 50 * MB), (9 * MB, 5 * MB, 5 * MB), (30 * MB, 50 * MB, 20 * MB)],
)
async def test_the_limit_that_is_named_is_the_one_that_was_met(
    size: int, max_bytes: int, limit: int
) -> None:
    """The bot's own, or Telegram's, which a Bot API server of one's own has not."""
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
async def test_a_file_that_is_gone(telegram: Telegram) -> None:
    with pytest.raises(UnmaskError) as gone:
        await read(telegram)
    assert gone.value.code == "picture_missing"


@pytest.mark.parametrize("fault", [NetworkError("Bad Gateway"), InvalidToken("Unauthorized")])
async def test_what_says_nothing_of_the_file_is_passed_on(fault: TelegramError) -> None:
    with pytest.raises(type(fault)):
        await read(Telegram(fault))
