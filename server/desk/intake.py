"""Pictures that come to the desk: checks that are sent, and questions about known pictures."""

from __future__ import annotations

import asyncio

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from desk.pictures import Sent, SentState, Source
from server.api.layers import LAYERS
from server.api.preview import PREVIEWS
from server.api.responses import json_response
from server.context import CHECKS, DESK, TEAM_ACTOR
from server.desk.cases import number_of
from server.desk.fields import read_fields
from server.desk.responses import model_response
from unmask.errors import UnmaskError
from unmask.findings import Layer

#: Seconds that an answer waits for a check that has not ended.
MAX_WAIT = 30.0
#: A browser may keep a picture for minutes, not longer: erasing a case cannot reach into it.
CACHE = "private, max-age=300"
_LAYERS = {f"{layer}.png": layer for layer in Layer}
_KINDS = {"jpg": "image/jpeg", "png": "image/png"}


class Sending(BaseModel):
    """A check to send to the team, and where its picture was seen."""

    model_config = ConfigDict(extra="forbid")

    check: str = Field(pattern=r"^[0-9a-f]{32}$")
    source: Source = Source()
    wait: float = Field(0, ge=0, le=MAX_WAIT)


class Question(BaseModel):
    """Which pictures the team may know, by the SHA-256 of their files, and the page with them."""

    model_config = ConfigDict(extra="forbid")

    sha256: tuple[str, ...] = Field(min_length=1, max_length=50)
    page_url: str | None = None


async def send(request: web.Request) -> web.Response:
    """Send a check to the team: 200 with its case once the check has ended, before that 202."""
    fields = await read_fields(request, Sending)
    sent = await request.app[DESK].intake.send(request[TEAM_ACTOR], fields.check, fields.source)
    if sent.state is SentState.PENDING and fields.wait:
        sent = await _finished(request, fields.check, fields.wait)
    return _sent(sent)


async def read_sent(request: web.Request) -> web.Response:
    """What became of a check that was sent."""
    return _sent(await _finished(request, request.match_info["check"], 0.0))


async def look_up(request: web.Request) -> web.Response:
    """What the team says of pictures, by the SHA-256 of their files."""
    fields = await read_fields(request, Question)
    answers = await request.app[DESK].lookup.by_sha256(
        request[TEAM_ACTOR], fields.sha256, fields.page_url
    )
    known = {sha256: answer.model_dump(mode="json") for sha256, answer in answers.items()}
    return json_response({"answers": known})


async def picture(request: web.Request) -> web.Response:
    """A picture of a case: the one that was sent (upright, as JPEG, without the file's metadata),
    one that shows the result, or a layer of traces of saving (drawn on demand)."""
    keep, actor = request.app[DESK].keep, request[TEAM_ACTOR]
    number, picture_id = number_of(request), int(request.match_info["picture"])
    name = request.match_info["file"]
    layer = _LAYERS.get(name)
    if name != "original.jpg" and layer is None:
        data = await keep.read(actor, number, picture_id, name)
        return picture_response(data, _KINDS[name.rpartition(".")[2]])

    async def read() -> bytes:
        return await keep.read(actor, number, picture_id, "original.bin")

    # The key holds the team: nobody is shown what another's request was allowed to read.
    key = f"{actor.team}/{number}/{picture_id}"
    if layer is not None:
        shown, kind = await request.app[LAYERS].render(layer, key, read), "image/png"
    else:
        shown, kind = await request.app[PREVIEWS].render(key, read), "image/jpeg"
    if shown is None:
        raise UnmaskError("not_found", "There is no such picture.")
    return picture_response(shown, kind)


def picture_response(data: bytes, kind: str) -> web.Response:
    """A picture for those who may see the case."""
    return web.Response(body=data, content_type=kind, headers={"Cache-Control": CACHE})


async def _finished(request: web.Request, check_id: str, seconds: float) -> Sent:
    """What became of a check, after waiting for its end."""
    if seconds:
        await asyncio.wait_for(request.app[CHECKS].wait(check_id, seconds), seconds + 1)
    return await request.app[DESK].intake.finish(request[TEAM_ACTOR], check_id)


def _sent(sent: Sent) -> web.Response:
    return model_response(sent, 202 if sent.state is SentState.PENDING else 200)
