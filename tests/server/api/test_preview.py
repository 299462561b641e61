"""The copy of a picture that a browser renderer: how large it is, and what making it may cost."""

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

from server.api import one_at_a_time, preview
from server.api.one_at_a_time import MAX_WAITING
from server.api.preview import MIN_SIDE, PreviewRenderer, render_preview
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
def test_a_preview_is_of_bounded_size(kind: str, size: tuple[int, int]) -> None:
    image = Image.open(BytesIO(render_preview(encoded(size, kind), Settings())))
    assert min(MIN_SIDE, max(size)) <= max(image.size) < 2 * MIN_SIDE
    assert (image.width > image.height) == (size[0] > size[1])


class StubDecoder:
    """Takes the place of the decoder: holds each picture until it is released, and counts."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.read = self.count = self.running = self.max_running = 0

    async def read_picture(self) -> bytes:
        self.read += 1
        return b"picture"

    def decode(self, data: bytes, _: Settings) -> bytes:
        self.running += 1
        self.count += 1
        self.max_running = max(self.max_running, self.running)
        assert self.released.wait(60)
        time.sleep(0.01)
        self.running -= 1
        return b"preview of " + data


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[StubDecoder]:
    decoder = StubDecoder()
    monkeypatch.setattr(preview, "render_preview", decoder.decode)
    yield decoder
    decoder.released.set()


async def begun(decoder: StubDecoder, count: int = 1) -> None:
    while decoder.count < count:
        await asyncio.sleep(0.01)


async def test_one_picture_lies_in_memory_at_a_time(decoder: StubDecoder) -> None:
    renderer = PreviewRenderer(Settings())
    clients = [asyncio.create_task(renderer.render(str(n), decoder.read_picture)) for n in range(5)]
    await begun(decoder)
    await asyncio.sleep(0.05)
    assert decoder.read == 1
    decoder.released.set()
    assert await asyncio.gather(*clients) == [b"preview of picture"] * 5
    assert (decoder.read, decoder.max_running) == (5, 1)


async def test_requests_for_one_picture_share_its_preview(decoder: StubDecoder) -> None:
    renderer = PreviewRenderer(Settings())
    clients = [
        asyncio.create_task(renderer.render("same", decoder.read_picture)) for _ in range(60)
    ]
    await begun(decoder)
    clients[0].cancel()  # A client that leaves takes nothing from the others.
    await asyncio.sleep(0)
    decoder.released.set()
    assert set(await asyncio.gather(*clients[1:])) == {b"preview of picture"}
    assert (decoder.read, decoder.count) == (1, 1)
    await renderer.render("same", decoder.read_picture)
    assert decoder.count == 2


async def test_too_many_pictures_at_once_are_busy(decoder: StubDecoder) -> None:
    renderer = PreviewRenderer(Settings())
    clients = [
        asyncio.create_task(renderer.render(str(n), decoder.read_picture))
        for n in range(MAX_WAITING + 1)
    ]
    await begun(decoder)
    with pytest.raises(UnmaskError) as refused:
        await renderer.render("one more", decoder.read_picture)
    assert refused.value.code == "busy" and refused.value.detail["retry_after"] > 0
    decoder.released.set()
    assert await renderer.render("0", decoder.read_picture) == b"preview of picture"
    await asyncio.gather(*clients)
    assert await renderer.render("one more", decoder.read_picture) == b"preview of picture"


async def test_a_removed_check_takes_no_preview_from_another(decoder: StubDecoder) -> None:
    renderer = PreviewRenderer(Settings())

    async def gone() -> None:
        await asyncio.sleep(0.05)

    async def broken() -> bytes:
        await asyncio.sleep(0.05)
        raise UnmaskError("queue_unavailable", "The queue cannot be reached.")

    decoder.released.set()
    first = asyncio.create_task(renderer.render("same", gone))
    await asyncio.sleep(0)
    assert await renderer.render("same", decoder.read_picture) == b"preview of picture"
    assert await first is None
    with pytest.raises(UnmaskError):
        await renderer.render("same", broken)
    assert await renderer.render("same", decoder.read_picture) == b"preview of picture"


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
    monkeypatch.setattr(one_at_a_time, "MAX_WAITING", -1)
    answer = await client.get(f"/v1/checks/{check}/original.jpg")
    assert (answer.status, (await answer.json())["error"]["code"]) == (503, "busy")
    assert answer.headers["Retry-After"] == str(one_at_a_time.RETRY)


async def test_all_previews_are_rendered_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def named(data: bytes, _: Settings) -> bytes:
        return threading.current_thread().name.encode() + data

    async def read() -> bytes:
        return b""

    monkeypatch.setattr(preview, "render_preview", named)
    renderer = PreviewRenderer(Settings())
    names = await asyncio.gather(*(renderer.render(str(n), read) for n in range(10)))
    renderer.close()
    assert len(set(names)) == 1
