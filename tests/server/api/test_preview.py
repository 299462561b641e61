"""The copy of a picture that a browser shows: how large it is, and what making it may cost."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from PIL import Image

from server.api import preview
from server.api.preview import ENOUGH, MOST_WAITING, Display, display_copy
from server.context import CHECKS
from tests.server.server_process import blank
from unmask.errors import UnmaskError
from unmask.settings import Settings

pytestmark = pytest.mark.anyio
Client = TestClient[Any, Any]


def encoded(size: tuple[int, int], kind: str) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
@pytest.mark.parametrize("size", [(1_599, 20), (3_199, 20), (3_200, 20), (20, 7_000), (16_000, 40)])
def test_a_copy_is_of_bounded_size(kind: str, size: tuple[int, int]) -> None:
    shown = Image.open(BytesIO(display_copy(encoded(size, kind), Settings())))
    assert min(ENOUGH, max(size)) <= max(shown.size) < 2 * ENOUGH
    assert (shown.width > shown.height) == (size[0] > size[1])


class Desk:
    """Takes the place of the decoder: holds each copy up until it is let go, and counts."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.read = self.made = self.together = self.most = 0

    async def give(self) -> bytes:
        self.read += 1
        return b"picture"

    def copy(self, data: bytes, _: Settings) -> bytes:
        self.together += 1
        self.made += 1
        self.most = max(self.most, self.together)
        assert self.go.wait(20)
        time.sleep(0.01)
        self.together -= 1
        return b"copy of " + data


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    made = Desk()
    monkeypatch.setattr(preview, "display_copy", made.copy)
    yield made
    made.go.set()


async def begun(desk: Desk, count: int = 1) -> None:
    while desk.made < count:
        await asyncio.sleep(0.01)


async def test_one_picture_lies_in_memory_at_a_time(desk: Desk) -> None:
    shows = Display(Settings())
    askers = [asyncio.create_task(shows.copy(str(n), desk.give)) for n in range(5)]
    await begun(desk)
    await asyncio.sleep(0.05)
    assert desk.read == 1
    desk.go.set()
    assert await asyncio.gather(*askers) == [b"copy of picture"] * 5
    assert (desk.read, desk.most) == (5, 1)


async def test_askers_of_one_picture_share_its_copy(desk: Desk) -> None:
    shows = Display(Settings())
    askers = [asyncio.create_task(shows.copy("same", desk.give)) for _ in range(60)]
    await begun(desk)
    askers[0].cancel()  # Who leaves takes nothing from the others.
    await asyncio.sleep(0)
    desk.go.set()
    assert set(await asyncio.gather(*askers[1:])) == {b"copy of picture"}
    assert (desk.read, desk.made) == (1, 1)
    await shows.copy("same", desk.give)
    assert desk.made == 2


async def test_too_many_pictures_at_once_are_busy(desk: Desk) -> None:
    shows = Display(Settings())
    askers = [asyncio.create_task(shows.copy(str(n), desk.give)) for n in range(MOST_WAITING + 1)]
    await begun(desk)
    with pytest.raises(UnmaskError) as refused:
        await shows.copy("one more", desk.give)
    assert refused.value.code == "busy" and refused.value.detail["retry_after"] > 0
    desk.go.set()
    assert await shows.copy("0", desk.give) == b"copy of picture"
    await asyncio.gather(*askers)
    assert await shows.copy("one more", desk.give) == b"copy of picture"


async def test_a_removed_check_takes_no_copy_from_another(desk: Desk) -> None:
    shows = Display(Settings())

    async def gone() -> None:
        await asyncio.sleep(0.05)

    async def broken() -> bytes:
        await asyncio.sleep(0.05)
        raise UnmaskError("queue_unavailable", "The queue cannot be reached.")

    desk.go.set()
    first = asyncio.create_task(shows.copy("same", gone))
    await asyncio.sleep(0)
    assert await shows.copy("same", desk.give) == b"copy of picture"
    assert await first is None
    with pytest.raises(UnmaskError):
        await shows.copy("same", broken)
    assert await shows.copy("same", desk.give) == b"copy of picture"


async def test_views_of_one_check_read_its_picture_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = (await (await client.post("/v1/checks", data=blank())).json())["id"]
    assert client.app is not None
    read, real = 0, client.app[CHECKS].picture

    async def counted(check_id: str) -> bytes | None:
        nonlocal read
        read += 1
        await asyncio.sleep(0.3)
        return await real(check_id)

    monkeypatch.setattr(client.app[CHECKS], "picture", counted)
    path = f"/v1/checks/{check}/original.jpg"
    answers = await asyncio.gather(*(client.get(path) for _ in range(30)))
    assert {answer.status for answer in answers} == {200} and read == 1


async def test_a_view_that_finds_no_turn_says_when_to_come_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = (await (await client.post("/v1/checks", data=blank())).json())["id"]
    monkeypatch.setattr(preview, "MOST_WAITING", -1)
    answer = await client.get(f"/v1/checks/{check}/original.jpg")
    assert (answer.status, (await answer.json())["error"]["code"]) == (503, "busy")
    assert answer.headers["Retry-After"] == str(preview.RETRY)


async def test_all_copies_are_made_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def named(data: bytes, _: Settings) -> bytes:
        return threading.current_thread().name.encode() + data

    async def read() -> bytes:
        return b""

    monkeypatch.setattr(preview, "display_copy", named)
    shows = Display(Settings())
    names = await asyncio.gather(*(shows.copy(str(n), read) for n in range(10)))
    shows.close()
    assert len(set(names)) == 1
