"""Live events, the pictures of a check, and the report on paper."""

from __future__ import annotations

import asyncio
import json
from io import BytesIO
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from PIL import Image

from server.context import STOPPING
from server.web import pdf
from server.web.texts import texts_in
from tests.server.server_process import Service, blank, client_of, photo
from tests.unmask.queue.scripted_worker import done_check, report

pytestmark = pytest.mark.anyio
Client = TestClient[Any, Any]
UNKNOWN = "0" * 32


async def submitted(client: Client, data: bytes) -> str:
    body = await (await client.post("/v1/checks?wait=60", data=data)).json()
    assert body["state"] == "done"
    return str(body["id"])


async def test_events_tell_each_change_once(client: Client, portrait: Any) -> None:
    check = await (await client.post("/v1/checks", data=photo(portrait))).json()
    answer = await client.get(f"/v1/checks/{check['id']}/events")
    assert answer.content_type == "text/event-stream"
    names, states = [], []
    for block in (await answer.text()).replace("\r\n", "\n").strip().split("\n\n"):
        name, data = block.split("\n")
        names.append(name.removeprefix("event: "))
        told = json.loads(data.removeprefix("data: "))
        states.append(told["state"])
        assert (told["report"] is not None) == (told["state"] == "done")
    assert names == states
    assert names == [state for state in ("queued", "running", "done") if state in names]
    assert names[-1] == "done"


async def test_events_of_an_ended_check_end_at_once(client: Client) -> None:
    check = await submitted(client, blank())
    assert (await (await client.get(f"/v1/checks/{check}/events")).text()).count("event:") == 1


async def test_open_streams_end_with_the_server(service: Service) -> None:
    async with client_of(service) as client:
        # A team with workers of its own and none that lives: the check waits for ever.
        async with client_of(service, team_pools="lonely") as lonely:
            sent = await lonely.post("/v1/checks?team=lonely", data=blank())
            check = await sent.json()
        answer = await client.get(f"/v1/checks/{check['id']}/events")
        assert (await answer.content.readline()).strip() == b"event: queued"
        assert client.app is not None
        client.app[STOPPING].set()
        async with asyncio.timeout(30):
            await answer.read()
        await client.delete(f"/v1/checks/{check['id']}")


async def test_a_caller_that_leaves_is_noticed(service: Service) -> None:
    async with client_of(service, team_pools="lonely") as client:
        check = await (await client.post("/v1/checks?team=lonely", data=blank())).json()
        answer = await client.get(f"/v1/checks/{check['id']}/events")
        await answer.content.readline()
        answer.close()
        await client.delete(f"/v1/checks/{check['id']}")


async def test_pictures_of_a_check(client: Client, portrait: Any) -> None:
    check = await submitted(client, photo(portrait))
    height, width = portrait.shape[:2]
    for name, kind, mode in (
        ("annotated.jpg", "JPEG", "RGB"),
        ("original.jpg", "JPEG", "RGB"),
        ("mask.png", "PNG", "L"),
        ("heatmap.png", "PNG", "L"),
    ):
        answer = await client.get(f"/v1/checks/{check}/{name}")
        assert answer.status == 200 and answer.headers["Cache-Control"].startswith("private")
        picture = Image.open(BytesIO(await answer.read()))
        assert (picture.format, picture.mode, picture.size) == (kind, mode, (width, height))
        assert answer.content_type == f"image/{kind.lower()}"
    assert Image.open(BytesIO(await (await client.get(f"/v1/checks/{check}/face/0.jpg")).read()))
    for name in ("face/1.jpg", "face/x.jpg", "face/9999.jpg", "report.json", "../../etc/passwd"):
        assert (await client.get(f"/v1/checks/{check}/{name}")).status == 404


async def test_the_original_is_shown_without_metadata(client: Client, portrait: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # Turned: the copy must come upright.
    exif[0x010E] = "a secret place"
    data = photo(portrait[:, :300], exif=exif)
    check = await submitted(client, data)
    preview = await (await client.get(f"/v1/checks/{check}/original.jpg")).read()
    assert b"secret" in data and b"secret" not in preview and b"Exif" not in preview
    assert Image.open(BytesIO(preview)).size == (512, 300)


async def test_the_report_on_paper(client: Client, portrait: Any) -> None:
    for data in (photo(portrait), blank()):
        check = await submitted(client, data)
        answer = await client.get(f"/v1/checks/{check}/report.pdf")
        assert answer.content_type == "application/pdf"
        assert f"unmask-{check}.pdf" in answer.headers["Content-Disposition"]
        paper = await answer.read()
        assert paper.startswith(b"%PDF-") and paper.rstrip().endswith(b"%%EOF")
        body = await (await client.get(f"/v1/checks/{check}")).json()
        faces = len(body["report"]["faces"])
        assert b"/Lang (en)" in paper
        assert paper.count(b"/Alt (") == 1 + faces


def test_the_paper_says_when_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []
    monkeypatch.setattr(pdf.Paper, "say", lambda _, text, *__: texts.append(text))
    a_check, a_report = done_check(), report()
    picture = BytesIO()
    Image.new("RGB", (a_report.image.width, a_report.image.height)).save(picture, "JPEG")
    pdf.report_pdf(texts_in("en"), a_check, a_report, picture.getvalue(), [])
    lines = [text for text in texts if f"{a_check.created:%Y-%m-%d %H:%M:%S}" in text]
    assert len(lines) == 1 and lines[0].startswith("Asked for: ")


@pytest.mark.parametrize(
    "path",
    ["", "/events", "/annotated.jpg", "/mask.png", "/original.jpg", "/face/0.jpg", "/report.pdf"],
)
async def test_what_is_unknown_is_not_found(client: Client, path: str) -> None:
    for check in (UNKNOWN, "x" * 32, "x", "..%2f..%2fetc", "%00" * 10):
        answer = await client.get(f"/v1/checks/{check}{path}")
        assert (answer.status, (await answer.json())["error"]["code"]) == (404, "not_found")
