"""``/v1/checks``: create a check, read it, list checks, delete one."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from server.api.body import wait_of
from server.api.responses import (
    check_json,
    check_of,
    json_response,
    not_found,
    shown_check,
    with_earlier,
)
from server.api.submission import Submission
from server.context import ACTOR, CHECKS, STOPPING, prefix_of
from unmask.errors import UnmaskError
from unmask.permissions import Permission, require
from unmask.queue.lists import Order
from unmask.report import Check, State, Verdict

MAX_LISTED = 200
_COUNT = re.compile(r"[0-9]{1,3}")


@dataclass(frozen=True)
class ChecksOf:
    """All checks of one team, or those of no team."""

    team: str | None


async def create(request: web.Request) -> web.Response:
    """Take one picture: 200 if its check ended in time, else 202."""
    seconds = wait_of(request)
    submission = Submission(request)
    await submission.admit()
    check = await submission.take_one()
    if seconds > 0 and not check.ended:
        check = await _ended(request, check, seconds)
    check = await with_earlier(request, check)
    return json_response(
        check_json(check, prefix_of(request)),
        status=200 if check.ended else 202,
        Location=f"{prefix_of(request)}/v1/checks/{check.id}",
    )


async def read(request: web.Request) -> web.Response:
    """One check, with its report once it is done; with ``?download`` as a file."""
    check = await shown_check(request)
    response = json_response(check_json(check, prefix_of(request)))
    if "download" in request.query:
        response.headers["Content-Disposition"] = f'attachment; filename="unmask-{check.id}.json"'
    return response


async def list_page(request: web.Request) -> web.Response:
    """A page of a team's checks, newest or most suspicious first."""
    query, actor = request.query, request[ACTOR]
    team = query.get("team", actor.team)
    require(actor, Permission.LIST_CHECKS, ChecksOf(team))
    page = await request.app[CHECKS].list(
        team or None,
        state=_choice(State, query.get("state"), "state"),
        verdict=_choice(Verdict, query.get("verdict"), "verdict"),
        order=_choice(Order, query.get("order"), "order") or Order.NEWEST,
        limit=_count(query.get("limit", "50")),
        cursor=query.get("cursor"),
    )
    checks = [check_json(check, prefix_of(request)) for check in page.checks]
    return json_response({"checks": checks, "cursor": page.cursor})


async def delete(request: web.Request) -> web.Response:
    """Remove every trace of a check."""
    check = await check_of(request)
    require(request[ACTOR], Permission.DELETE_CHECK, check)
    if not await request.app[CHECKS].delete(check.id):
        raise not_found()
    return web.Response(status=204)


async def _ended(request: web.Request, check: Check, seconds: float) -> Check:
    """The check once it ended, or as it stands after ``seconds`` or when the server stops."""
    waiting = asyncio.ensure_future(request.app[CHECKS].wait(check.id, seconds))
    stopping = asyncio.ensure_future(request.app[STOPPING].wait())
    try:
        await asyncio.wait([waiting, stopping], return_when=asyncio.FIRST_COMPLETED)
        return (waiting.result() if waiting.done() else None) or check
    finally:
        waiting.cancel()
        stopping.cancel()
        await asyncio.gather(waiting, stopping, return_exceptions=True)


def _choice(kind: Any, text: str | None, name: str) -> Any:
    if text is None:
        return None
    try:
        return kind(text)
    except ValueError as error:
        allowed = ", ".join(kind)
        raise UnmaskError("bad_request", f"'{name}' must be one of: {allowed}.") from error


def _count(text: str) -> int:
    if not (_COUNT.fullmatch(text) and 1 <= int(text) <= MAX_LISTED):
        raise UnmaskError("bad_request", f"'limit' must be 1 to {MAX_LISTED}.")
    return int(text)
