"""The pictures of a check: what was sent, what was found, and each face."""

from __future__ import annotations

from aiohttp import web

from server.api.answers import found_check, not_found
from server.api.preview import DISPLAY
from server.context import CHECKS
from unmask.errors import UnmaskError
from unmask.report import State

#: A browser may keep a picture for minutes, not longer: DELETE cannot reach into it.
CACHE = "private, max-age=300"
RESULTS = {"annotated.jpg": "image/jpeg", "mask.png": "image/png", "heatmap.png": "image/png"}


async def result(request: web.Request) -> web.Response:
    """The annotated picture, the mask or the heatmap."""
    name = request.match_info["picture"]
    return await _stored(request, name, RESULTS[name])


async def face(request: web.Request) -> web.Response:
    """The crop of one face, counted from 0."""
    return await _stored(request, f"face-{int(request.match_info['n'])}.jpg", "image/jpeg")


async def original(request: web.Request) -> web.Response:
    """The picture that was sent, upright, as JPEG and without what the file told besides."""
    check = await found_check(request)

    async def read() -> bytes | None:
        try:
            return await request.app[CHECKS].picture(check.id)
        except UnmaskError as error:
            if error.code != "picture_missing":
                raise
            return None  # Removed since we looked: here that is no fault of the server's.

    copy = await request.app[DISPLAY].copy(check.sha256, read)
    if copy is None:
        raise not_found()
    return _picture(copy, "image/jpeg")


async def _stored(request: web.Request, name: str, kind: str) -> web.Response:
    check = await found_check(request)
    data = None
    if check.state is State.DONE:
        data = await request.app[CHECKS].result_picture(check.id, name)
    if data is None:
        raise not_found()
    return _picture(data, kind)


def _picture(data: bytes, kind: str) -> web.Response:
    return web.Response(body=data, content_type=kind, headers={"Cache-Control": CACHE})
