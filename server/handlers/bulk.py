"""``/v1/checks/bulk``: many pictures in one request, served after those that people wait for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from server.answers import json_answer
from server.intake import Arrival, Options, admit, many_pictures, submit
from unmask.errors import UnmaskError


async def create(request: web.Request) -> web.Response:
    """Take pictures one by one; 202 with a check or an error for each, in the order sent."""
    await admit(request)
    options, arrivals = await many_pictures(request)
    results = [result async for result in _results(request, options, arrivals)]
    if len(results) == 1 and isinstance(results[0], UnmaskError):
        raise results[0]
    return json_answer({"checks": [_json(result) for result in results]}, status=202)


async def _results(
    request: web.Request, options: Options, arrivals: AsyncIterator[Arrival]
) -> AsyncIterator[dict[str, Any] | UnmaskError]:
    """An error belongs to its picture; one that ends the request's body ends the list."""
    first = True
    try:
        async for arrival in arrivals:
            try:
                if not first:
                    await admit(request)
                first = False
                if isinstance(arrival.data, UnmaskError):
                    raise arrival.data
                check = await submit(request, arrival.data, options, bulk=True)
                yield check.model_dump(mode="json")
            except UnmaskError as error:
                yield error
    except UnmaskError as error:
        yield error


def _json(result: dict[str, Any] | UnmaskError) -> dict[str, Any]:
    return result.as_json() if isinstance(result, UnmaskError) else result
