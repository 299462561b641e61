"""The layers of a check: drawn on demand, for those who have its id."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from PIL import Image

from server.api import layers, one_at_a_time
from tests.server.server_process import Service, blank, photo
from unmask.findings import Layer
from unmask.settings import Settings
from unmask.store import Store

pytestmark = pytest.mark.anyio
Client = TestClient[Any, Any]


async def sent(client: Client, data: bytes) -> dict[str, Any]:
    check: dict[str, Any] = await (await client.post("/v1/checks", data=data)).json()
    return check


async def test_a_layer_is_a_grey_picture_of_the_check(client: Client, portrait: Any) -> None:
    check = await sent(client, photo(portrait, quality=70))
    answer = await client.get(f"/v1/checks/{check['id']}/ghosts.png")
    assert (answer.status, answer.content_type) == (200, "image/png")
    assert answer.headers["Cache-Control"] == "private, max-age=300"
    image = Image.open(BytesIO(await answer.read()))
    assert (image.mode, image.size) == ("L", (512, 512))
    assert (await client.get(f"/v1/checks/{check['id']}/elsewhere.png")).status == 404
    assert (await client.get(f"/v1/checks/{'0' * 32}/ghosts.png")).status == 404


async def test_a_picture_that_is_gone_is_an_error_that_says_so(
    client: Client, service: Service
) -> None:
    check = await sent(client, blank())
    Store.of(service.settings()).delete_picture(check["sha256"])
    answer = await client.get(f"/v1/checks/{check['id']}/noise.png")
    assert answer.status == 410
    assert (await answer.json())["error"]["code"] == "picture_missing"
    await client.delete(f"/v1/checks/{check['id']}")
    assert (await client.get(f"/v1/checks/{check['id']}/noise.png")).status == 404


async def test_layers_are_drawn_one_at_a_time_and_shared(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = most = drawn = 0

    async def draw(data: bytes, layer: Layer, settings: Settings) -> bytes:
        nonlocal running, most, drawn
        running, drawn = running + 1, drawn + 1
        most = max(most, running)
        await asyncio.sleep(0.3)
        running -= 1
        return data[:4] + layer.encode()

    monkeypatch.setattr(layers, "draw_apart", draw)
    check = (await sent(client, blank()))["id"]
    paths = [f"/v1/checks/{check}/{layer}.png" for layer in Layer for _ in range(5)]
    answers = await asyncio.gather(*(client.get(path) for path in paths))
    assert {answer.status for answer in answers} == {200}
    assert len({await answer.read() for answer in answers}) == len(Layer)
    assert (most, drawn) == (1, len(Layer))
    monkeypatch.setattr(one_at_a_time, "MAX_WAITING", -1)
    busy = await client.get(paths[0])
    assert busy.status == 503 and int(busy.headers["Retry-After"]) > 0
