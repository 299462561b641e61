"""``/v1/checks/bulk``: many pictures in one request, served after those that people wait for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from aiohttp import web

from server.api.answers import json_answer
from server.api.intake import Arrival, Options, admit, many_pictures, submit
from unmask.errors import UnmaskError


async def create(request: web.Request) -> web.Response:
    """Take pictures one by one; 202 with a check or an error for each, in the order sent."""
    await admit(request, bulk=True)
    options, arrivals = await many_pictures(request)
    async with aclosing(arrivals):
        results = await _results(request, options, arrivals)
    return json_answer({"checks": results}, status=202)


async def _results(
    request: web.Request, options: Options, arrivals: AsyncIterator[Arrival]
) -> list[dict[str, Any]]:
    """An error belongs to its picture. One of the request's body ends the list, or, before any
    picture came, is the answer."""
    results: list[dict[str, Any]] = []
    try:
        async for arrival in arrivals:
            results.append(await _result(request, options, arrival))
    except UnmaskError as error:
        if not results:
            raise
        results.append(error.as_json())
    return results


async def _result(request: web.Request, options: Options, arrival: Arrival) -> dict[str, Any]:
    if isinstance(arrival.data, UnmaskError):
        return arrival.data.as_json()
    try:
        check = await submit(request, arrival.data, options, bulk=True)
    except UnmaskError as error:
        return error.as_json()
    return check.model_dump(mode="json")
