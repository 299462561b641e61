"""The files of a check: the picture that was sent, the results, each face, layers, metadata."""

from __future__ import annotations

from aiohttp import web

from server.api.layers import LAYERS
from server.api.preview import PREVIEWS
from server.api.responses import check_of, not_found
from server.context import ACTOR, CHECKS
from unmask.errors import UnmaskError
from unmask.findings import Layer
from unmask.permissions import Permission, require
from unmask.report import Check

#: A browser may keep a picture for minutes, not longer: DELETE cannot reach into it.
CACHE = "private, max-age=300"


async def result(request: web.Request) -> web.Response:
    """The annotated picture, the mask or the heatmap."""
    name = request.path.rpartition("/")[2]
    return await _stored(request, name, "image/jpeg" if name.endswith(".jpg") else "image/png")


async def face(request: web.Request) -> web.Response:
    """The crop of one face, counted from 0."""
    return await _stored(request, f"face-{int(request.match_info['n'])}.jpg", "image/jpeg")


async def original(request: web.Request) -> web.Response:
    """The picture that was sent, upright, as JPEG and without the file's metadata."""
    check = await check_of(request)

    async def read() -> bytes | None:
        try:
            return await request.app[CHECKS].picture(check.id)
        except UnmaskError as error:
            if error.code != "picture_missing":
                raise
            return None  # Removed since the check was read: no fault of the server's.

    preview = await request.app[PREVIEWS].render(check.sha256, read)
    if preview is None:
        raise not_found()
    return _picture(preview, "image/jpeg")


async def layer(request: web.Request) -> web.Response:
    """Where the picture has other traces of saving than elsewhere."""
    check = await check_of(request)

    async def read() -> bytes | None:
        return await request.app[CHECKS].picture(check.id)

    wanted = Layer(request.match_info["layer"])
    drawn = await request.app[LAYERS].render(wanted, check.sha256, read)
    if drawn is None:
        raise not_found()
    return _picture(drawn, "image/png")


async def metadata(request: web.Request) -> web.Response:
    """All metadata of the picture's file."""
    data = await metadata_of(request, await check_of(request))
    headers = {"Cache-Control": "no-store"}
    return web.Response(body=data, content_type="application/json", headers=headers)


async def metadata_of(request: web.Request, check: Check) -> bytes:
    """All metadata of a check's file, as JSON, for those who may send pictures to its team; raises
    ``key_needed``, ``key_scope`` or ``not_found``."""
    require(request[ACTOR], Permission.READ_METADATA, check)
    data = await request.app[CHECKS].result(check.id, "metadata.json")
    if data is None:
        raise not_found()
    return data


async def _stored(request: web.Request, name: str, kind: str) -> web.Response:
    data = await request.app[CHECKS].result(request.match_info["id"], name)
    if data is None:
        raise not_found()
    return _picture(data, kind)


def _picture(data: bytes, kind: str) -> web.Response:
    return web.Response(body=data, content_type=kind, headers={"Cache-Control": CACHE})
