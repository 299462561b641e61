"""``/v1/checks/bulk``: many pictures in one request, served after those that people wait for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from aiohttp import web

from server.api.body import Options, Upload, many_pictures
from server.api.responses import check_json, json_response
from server.api.submission import Submission
from server.context import UPLOADS, caller_of, prefix_of
from unmask.errors import UnmaskError


async def create(request: web.Request) -> web.Response:
    """Take pictures one by one; 202 with a check or an error for each, in the order sent."""
    submission = Submission(request, bulk=True)
    await submission.admit()
    with request.app[UPLOADS].upload(caller_of(request)):
        options, uploads = await many_pictures(request, submission.admit_next)
        async with aclosing(uploads):
            results = await _results(submission, options, uploads, prefix_of(request))
    return json_response({"checks": results}, status=202)


async def _results(
    submission: Submission, options: Options, uploads: AsyncIterator[Upload], prefix: str
) -> list[dict[str, Any]]:
    """A check or an error for each picture. An error of the whole body ends the list; before any
    picture came, it is raised."""
    results: list[dict[str, Any]] = []
    try:
        async for upload in uploads:
            with upload.holding:
                results.append(await _result(submission, options, upload, prefix))
    except UnmaskError as error:
        if not results:
            raise
        results.append(error.as_json())
    return results


async def _result(
    submission: Submission, options: Options, upload: Upload, prefix: str
) -> dict[str, Any]:
    if isinstance(upload.data, UnmaskError):
        return upload.data.as_json()
    try:
        check = await submission.submit(upload.data, options)
    except UnmaskError as error:
        return error.as_json()
    return check_json(check, prefix)
