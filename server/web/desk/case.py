"""The page of one case, and the forms on it."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web
from pydantic import BaseModel, Field

from desk.cases import CaseDetail
from desk.pictures import SentState, Source
from desk.pictures.keep import METADATA
from desk.vocabulary import CaseState, Review
from server.context import CHECKS, DESK, PRESENCE, TEAM_ACTOR
from server.desk.actions import ACTIONS, CaseAction, Nothing, Opinion
from server.desk.cases import Edits, Erasure, Text, change_case, number_of
from server.desk.fields import RowId, checked_fields, read_fields, read_form
from server.web.desk.addresses import team_path, to
from server.web.desk.rendering import show_team
from server.web.rendering import PAGES, view_of
from unmask.errors import UnmaskError
from unmask.permissions import Permission, require
from unmask.report import Report

#: What a person may mend on the page: it is shown again, with what was written.
_MENDABLE = frozenset(
    {"conflict", "bad_request", "claim_limit", "second_opinion_due", "not_allowed"}
)


class Comment(BaseModel):
    """A comment to remove."""

    comment: RowId


class Chosen(BaseModel):
    """Pictures to take out of the case."""

    picture: tuple[RowId, ...] = Field((), max_length=200)


async def page(request: web.Request) -> web.Response:
    """One case with all that belongs to it."""
    return await _page(request)


async def act(request: web.Request) -> web.Response:
    """Carry out the action that the path names, and show the case again."""
    name = request.match_info["action"]
    action = ACTIONS.get(name)
    if action is None:
        raise UnmaskError("not_found", "There is nothing at this address.")
    actor, number = request[TEAM_ACTOR], number_of(request)
    require(actor, action.needs)
    values = await read_form(request)
    try:
        fields = checked_fields(action.fields, values)
        await action.run(request.app[DESK], actor, number, fields, fields.version)
    except UnmaskError as error:
        if error.code not in _MENDABLE:
            raise
        return await _page(request, error=error, written=values, form=name)
    raise _again(request, _where_next(action))


async def metadata(request: web.Request) -> web.Response:
    """All metadata of a picture's file, explained."""
    picture = int(request.match_info["picture"])
    data = await request.app[DESK].keep.read(
        request[TEAM_ACTOR], number_of(request), picture, METADATA
    )
    back = to(request, team_path(request, f"/{request.match_info['number']}"))
    return request.app[PAGES].metadata(view_of(request), json.loads(data), back, of_case=True)


async def edit(request: web.Request) -> web.Response:
    """Change texts, tags, priority, due date and marks."""
    written = await read_form(request)
    values = dict(written)
    tags = values.pop("tag_list", None)
    marks = {
        name: values.get(name) == "on"
        for name in ("sensitive", "legal_hold")
        if f"has_{name}" in values
    }
    named = {name: value for name, value in values.items() if not name.startswith("has_")}
    if tags is not None:
        named["tags"] = [tag.strip() for tag in str(tags).split(",") if tag.strip()]
    if "due_at" in named:
        named["due_at"] = named["due_at"] or None
    on = checked_fields(Nothing, named).version
    named.pop("version", None)
    try:
        edits = checked_fields(Edits, named | marks)
        await change_case(request, edits, on)
    except UnmaskError as error:
        if error.code not in _MENDABLE:
            raise
        return await _page(request, error=error, written=written, form="edit")
    raise _again(request)


async def comment(request: web.Request) -> web.Response:
    """Add a comment."""
    fields = await read_fields(request, Text)
    try:
        await request.app[DESK].comments.add(request[TEAM_ACTOR], number_of(request), fields.body)
    except UnmaskError as error:
        if error.code not in _MENDABLE:
            raise
        return await _page(request, error=error, written={"body": fields.body}, form="comment")
    raise _again(request, "#comments")


async def remove_comment(request: web.Request) -> web.Response:
    """Remove a comment."""
    fields = await read_fields(request, Comment)
    await request.app[DESK].comments.remove(request[TEAM_ACTOR], number_of(request), fields.comment)
    raise _again(request, "#comments")


async def watch(request: web.Request) -> web.Response:
    """Watch the case, or no longer."""
    on = (await read_form(request)).get("on") == "true"
    await request.app[DESK].editing.watch(request[TEAM_ACTOR], number_of(request), on=on)
    raise _again(request)


async def split(request: web.Request) -> web.Response:
    """Take pictures out of the case, and show the one that has them now."""
    fields = await read_fields(request, Chosen)
    other = await request.app[DESK].joining.split(
        request[TEAM_ACTOR], number_of(request), fields.picture
    )
    raise web.HTTPSeeOther(to(request, team_path(request, f"/{other.number}")))


async def erase(request: web.Request) -> web.Response:
    """Erase the case, and show the queue."""
    values = await read_form(request)
    if values.get("sure") != "on":
        error = UnmaskError("bad_request", "Tick that the case shall be erased.", field="sure")
        return await _page(request, error=error)
    fields = checked_fields(Erasure, values)
    await request.app[DESK].erasing.erase(request[TEAM_ACTOR], number_of(request), fields.reason)
    raise web.HTTPSeeOther(to(request, team_path(request)))


async def _page(
    request: web.Request,
    error: UnmaskError | None = None,
    written: dict[str, Any] | None = None,
    form: str = "",
) -> web.Response:
    """The page; after an error with what was ``written`` into one of its forms."""
    desk, actor, number = request.app[DESK], request[TEAM_ACTOR], number_of(request)
    detail = await desk.reading.detail(actor, number)
    team = await desk.teams.get(actor)
    if request.method == "GET" and actor.person_id is not None:
        await desk.notices.mark_read(actor, case=number)
    members = {
        f"person:{member.person_id}": member.name or f"#{member.former_number}"
        for member in await desk.members.list(actor)
    }
    own = _own_opinion(detail, actor.person_id)
    return await show_team(
        request,
        "case.html",
        error.status if error else 200,
        detail=detail,
        case=detail.case,
        picture=detail.pictures[0] if detail.pictures else None,
        report=_report(detail),
        hidden=team.settings.hide_score and detail.case.verdict is None and own is None,
        own=own,
        task=_task(detail, actor.person_id),
        comments=await desk.comments.list(actor, number),
        history=await desk.reading.history(actor, number),
        members=members,
        holders=await _holders(request, number),
        error=error.as_json()["error"] if error else None,
        written=written or {},
        form=form,
    )


async def _holders(request: web.Request, number: int) -> list[str]:
    """Who else has the case open."""
    try:
        here = await request.app[PRESENCE].here(request[TEAM_ACTOR])
    except UnmaskError:
        return []
    own = request[TEAM_ACTOR].person_id
    return [person.name for person in here.get(number, []) if person.id != own]


def _report(detail: CaseDetail) -> Report | None:
    """The machine's report on the case's own picture."""
    if not detail.pictures or detail.pictures[0].report is None:
        return None
    return Report.model_validate(detail.pictures[0].report)


def _own_opinion(detail: CaseDetail, person_id: int | None) -> Any:
    """The reader's opinion in the case's present round, None if there is none."""
    return next(
        (
            opinion
            for opinion in detail.opinions
            if opinion.person_id == person_id and opinion.round == detail.case.round
        ),
        None,
    )


def _task(detail: CaseDetail, person_id: int | None) -> str | None:
    """The opinion that the page asks of the reader: ``decide``, ``second``, ``settle``, or none."""
    case = detail.case
    held_by_other = case.claimed_by is not None and case.claimed_by.id != person_id
    if held_by_other or case.joined_into is not None:
        return None
    if case.state in (CaseState.NEW, CaseState.CLAIMED):
        return "decide"
    if case.state is not CaseState.SECOND:
        return None
    if case.review is Review.TIE:
        return "settle"
    return None if _own_opinion(detail, person_id) is not None else "second"


def _where_next(action: CaseAction) -> str:
    """Where on the page to go on after an action."""
    return "#opinions" if action.fields is Opinion else ""


def _again(request: web.Request, anchor: str = "") -> web.HTTPSeeOther:
    return web.HTTPSeeOther(
        to(request, team_path(request, f"/{request.match_info['number']}{anchor}"))
    )


async def send(request: web.Request) -> web.Response:
    """Send a check from its page to the team, and show its case."""
    values = await read_form(request)
    require(request[TEAM_ACTOR], Permission.SEND_CASE)
    check_id = request.match_info["check"]
    note = str(values.get("note", "")).strip() or None
    await request.app[CHECKS].wait(check_id, 20)
    source = Source(door="web", page_url=str(values.get("page_url", "")).strip() or None, note=note)
    sent = await request.app[DESK].intake.send(request[TEAM_ACTOR], check_id, source)
    if sent.state is not SentState.DONE or sent.case is None:
        raise UnmaskError("not_found", "The check has no result that could be sent.")
    raise web.HTTPSeeOther(to(request, team_path(request, f"/{sent.case}")))
