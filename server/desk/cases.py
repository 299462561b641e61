"""Cases over the API: the queue, one case, what is done with it, and what is said about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from desk.actors import DeskActor
from desk.cases import CaseRecord
from desk.cases.editing import CaseChanges
from desk.changes import AlreadyDoneError
from desk.queue import BulkAction, CaseFilter, NextCase, Sort
from desk.retention.erasing import EraseReason
from desk.service import Desk
from server.api.body import idempotency_key
from server.context import DESK, TEAM_ACTOR
from server.desk.actions import CaseAction
from server.desk.fields import CaseNumber, RowId, checked_fields, expected_version, read_fields
from server.desk.responses import case_response, done, list_response, model_response
from unmask.errors import UnmaskError

#: What of the query of a list is no filter.
_PAGING = {"sort", "cursor", "limit", "lang"}
#: The fields of a filter that may be there several times.
_SEVERAL = ("state", "verdict", "machine", "tag")


class Paging(BaseModel):
    """Which page of a list, in which order."""

    model_config = ConfigDict(extra="ignore")

    sort: Sort = Sort.RANK
    cursor: str | None = None
    limit: int = Field(50, ge=1, le=200)


class Edits(BaseModel):
    """What to change of a case; ``tags`` are put in place of those that it has."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = None
    claim: str | None = None
    summary: str | None = None
    priority: int | None = Field(None, ge=0, le=3)
    due_at: datetime | None = None
    sensitive: bool | None = None
    legal_hold: bool | None = None
    tags: tuple[str, ...] | None = Field(None, max_length=30)


class Before(BaseModel):
    """Where a page of the history ends: before this entry."""

    before: int | None = Field(None, ge=1, le=10**15)


class Text(BaseModel):
    """A comment; ``@login`` in it tells that person."""

    body: str


class Split(BaseModel):
    """Pictures to take out of a case."""

    pictures: tuple[RowId, ...] = Field(min_length=1, max_length=200)


class Erasure(BaseModel):
    """Why a case is erased."""

    reason: EraseReason = EraseReason.REQUEST


class Many(BaseModel):
    """What to do with which cases: those of ``numbers``, or all of a ``filter``, of which there
    are as many as ``expected``."""

    model_config = ConfigDict(extra="forbid")

    action: BulkAction
    numbers: tuple[CaseNumber, ...] = Field((), max_length=500)
    filter: CaseFilter | None = None
    expected: int | None = None


def desk_of(request: web.Request) -> Desk:
    """The desk."""
    return request.app[DESK]


def number_of(request: web.Request) -> int:
    """The case that the path names."""
    return int(request.match_info["number"])


def actor_once(request: web.Request) -> DeskActor:
    """Who sends the request, whose change is made once for each ``Idempotency-Key``."""
    return replace(request[TEAM_ACTOR], request=idempotency_key(request))


def filter_of(request: web.Request) -> CaseFilter:
    """The filter in the query; raises ``bad_request``."""
    values: dict[str, Any] = {
        name: request.query.getall(name) if name in _SEVERAL else text
        for name, text in request.query.items()
        if name not in _PAGING and text != ""
    }
    for name in _SEVERAL:  # an empty choice of a form narrows nothing
        if name in values:
            values[name] = [text for text in values[name] if text]
    return checked_fields(CaseFilter, values)


def paging_of(request: web.Request) -> Paging:
    """Which page the query asks for; raises ``bad_request``."""
    return checked_fields(Paging, {name: text for name, text in request.query.items() if text})


async def read_page(request: web.Request) -> web.Response:
    """A page of the team's cases, with how many are in which state."""
    actor, paging = request[TEAM_ACTOR], paging_of(request)
    page = await desk_of(request).queue.page(
        actor, filter_of(request), paging.sort, cursor=paging.cursor, limit=paging.limit
    )
    return model_response(page)


async def read_counts(request: web.Request) -> web.Response:
    """How many cases are in which state, and how many wait for the person."""
    return model_response(await desk_of(request).queue.counts(request[TEAM_ACTOR]))


async def read_case(request: web.Request) -> web.Response:
    """One case with all that belongs to it."""
    detail = await desk_of(request).reading.detail(request[TEAM_ACTOR], number_of(request))
    return model_response(detail, ETag=f'"{detail.case.version}"')


async def edit_case(request: web.Request) -> web.Response:
    """Change a case's texts, tags, priority, due date or marks."""
    edits = await read_fields(request, Edits)
    return case_response(await change_case(request, edits, expected_version(request)))


async def change_case(request: web.Request, edits: Edits, version: int | None) -> CaseRecord:
    """Change the case that the path names; returns it as it then stands."""
    desk, actor, number = desk_of(request), request[TEAM_ACTOR], number_of(request)
    named = edits.model_dump(include=edits.model_fields_set - {"tags"})
    if named:
        changes = CaseChanges.model_validate(named)
        await desk.editing.edit(actor, number, changes, version)
    if edits.tags is not None:
        present = set((await desk.reading.get(actor, number)).tags)
        wanted = set(edits.tags)
        await desk.editing.tag(actor, number, add=wanted - present, remove=present - wanted)
    return await desk.reading.get(actor, number)


async def erase_case(request: web.Request) -> web.Response:
    """Erase a case: pictures, texts and traces; the history keeps that it was erased."""
    fields = checked_fields(Erasure, dict(request.query))
    await desk_of(request).erasing.erase(request[TEAM_ACTOR], number_of(request), fields.reason)
    return web.Response(status=204)


async def act(request: web.Request, action: CaseAction) -> web.Response:
    """Carry out one of the actions on a case."""
    fields = await read_fields(request, action.fields)
    desk, actor, number = desk_of(request), actor_once(request), number_of(request)
    version = expected_version(request)
    expected = fields.version if version is None else version
    try:
        case = await action.run(desk, actor, number, fields, expected)
    except AlreadyDoneError as already:
        if already.case != number:
            message = f"This idempotency key was already used for case {already.case}."
            raise UnmaskError("idempotency_mismatch", message) from already
        case = await desk.reading.get(actor, number)
    return case_response(case)


async def split(request: web.Request) -> web.Response:
    """Take pictures out of a case; answers the case that has them now."""
    fields = await read_fields(request, Split)
    case = await desk_of(request).joining.split(
        request[TEAM_ACTOR], number_of(request), fields.pictures
    )
    return case_response(case)


async def claim_next(request: web.Request) -> web.Response:
    """Claim the best open case of the filter in the query, or say why there is none."""
    desk, actor = desk_of(request), actor_once(request)
    try:
        found = await desk.next.claim(actor, filter_of(request))
    except AlreadyDoneError as already:
        found = NextCase(case=await desk.reading.get(actor, already.case))
    return model_response(found)


async def change_many(request: web.Request) -> web.Response:
    """Do something with many cases; each is changed, or refused, by itself."""
    fields = await read_fields(request, Many)
    outcome = await desk_of(request).bulk.run(
        request[TEAM_ACTOR],
        fields.action,
        numbers=fields.numbers,
        wanted=fields.filter,
        expected=fields.expected,
    )
    return model_response(outcome)


async def read_comments(request: web.Request) -> web.Response:
    """The comments on a case, oldest first."""
    comments = await desk_of(request).comments.list(request[TEAM_ACTOR], number_of(request))
    return list_response("comments", comments)


async def add_comment(request: web.Request) -> web.Response:
    """Add a comment."""
    fields = await read_fields(request, Text)
    comment = await desk_of(request).comments.add(
        request[TEAM_ACTOR], number_of(request), fields.body
    )
    return model_response(comment, 201)


async def edit_comment(request: web.Request) -> web.Response:
    """Change one's own comment."""
    fields = await read_fields(request, Text)
    comment = await desk_of(request).comments.edit(
        request[TEAM_ACTOR], number_of(request), int(request.match_info["comment"]), fields.body
    )
    return model_response(comment)


async def remove_comment(request: web.Request) -> web.Response:
    """Remove one's own comment, or as an admin anybody's."""
    await desk_of(request).comments.remove(
        request[TEAM_ACTOR], number_of(request), int(request.match_info["comment"])
    )
    return web.Response(status=204)


async def read_history(request: web.Request) -> web.Response:
    """The history of a case, newest first."""
    before = checked_fields(Before, dict(request.query)).before
    entries = await desk_of(request).reading.history(
        request[TEAM_ACTOR], number_of(request), before
    )
    return list_response("history", entries)


async def watch(request: web.Request) -> web.Response:
    """Let the person know, or no longer, of what happens to a case."""
    on = request.method != "DELETE"
    await desk_of(request).editing.watch(request[TEAM_ACTOR], number_of(request), on=on)
    return done(watching=on)
