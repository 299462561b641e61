"""The routes of a team's cases."""

from __future__ import annotations

from functools import partial

from desk.queue import Sort
from desk.vocabulary import CaseState
from server.api.openapi import Json, enum_of, file_content, idempotency, json_content, query
from server.desk import cases, intake, live
from server.desk.actions import ACTIONS
from server.routes.desk_route import CASE, CHANGING, GONE, TEAM, desk_route
from server.routes.route import Route
from unmask.findings import Layer
from unmask.permissions import Permission

_COMMENT = CASE + "/comments/{comment:[1-9][0-9]{0,17}}"
_FILES = r"original\.jpg|annotated\.jpg|mask\.png|heatmap\.png|face-[0-9]{1,3}\.jpg"
_LAYERS = "|".join(rf"{layer}\.png" for layer in Layer)
_PICTURE = CASE + f"/pictures/{{picture:[1-9][0-9]{{0,17}}}}/{{file:{_FILES}|{_LAYERS}}}"
_FILTER = (
    query(
        "state",
        "In which states: the open ones by default.",
        {"type": "array", "items": enum_of(CaseState)},
    ),
    query("q", "Words of title, claim and summary.", {"type": "string", "maxLength": 300}),
    query("tag", "With all of these tags.", {"type": "array", "items": {"type": "string"}}),
    query("mine", "Those that the person holds.", {"type": "boolean"}),
    query("second_for_me", "Those that wait for the person's opinion.", {"type": "boolean"}),
)
_PAGING = (
    query("sort", "The order.", enum_of(Sort) | {"default": "rank"}),
    query("cursor", "Where the page before ended.", {"type": "string"}),
    query("limit", "Most cases.", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
)
_IF_MATCH: Json = {
    "name": "If-Match",
    "in": "header",
    "description": "The version that the change is meant for, as in the case's ETag; `conflict` if "
    "the case was changed meanwhile.",
    "schema": {"type": "string"},
}
_ONCE = idempotency("What is sent again with the same key is done once; the case is answered.")
_ONCE_ERRORS = f"{CHANGING} idempotency_mismatch"
_SENT = {
    "200": json_content("It has a case.", "Sent"),
    "202": json_content("Its check has not ended yet.", "Sent"),
}
_STREAM = {"200": {"description": "A stream.", "content": {"text/event-stream": {}}}}
READ, WORK = Permission.READ_CASES, Permission.WORK_ON_CASE


def _acting() -> tuple[Route, ...]:
    """A route for each action on a case."""
    return tuple(
        desk_route(
            "POST",
            f"{CASE}/{name}",
            partial(cases.act, action=action),
            action.needs,
            action.title,
            "CaseRecord",
            body=action.fields.__name__,
            errors=_ONCE_ERRORS,
            parameters=(_IF_MATCH, _ONCE),
            about=action.about,
            name=f"{name.replace('-', '_')}_case",
        )
        for name, action in ACTIONS.items()
    )


CASES = (
    desk_route(
        "GET",
        f"{TEAM}/cases",
        cases.read_page,
        READ,
        "The queue",
        "CaseList",
        parameters=(*_FILTER, *_PAGING),
    ),
    desk_route(
        "POST",
        f"{TEAM}/cases",
        intake.send,
        Permission.SEND_CASE,
        "Send a check to the team",
        _SENT,
        body="Sending",
        extension=True,
    ),
    desk_route(
        "GET",
        TEAM + "/sent/{check:[0-9a-f]{32}}",
        intake.read_sent,
        Permission.SEND_CASE,
        "What became of a check that was sent",
        _SENT,
    ),
    desk_route(
        "POST",
        f"{TEAM}/lookup",
        intake.look_up,
        Permission.LOOK_UP,
        "What the team says of pictures",
        "Answers",
        body="Question",
        extension=True,
    ),
    desk_route("GET", f"{TEAM}/counts", cases.read_counts, READ, "Numbers of cases", "Counts"),
    desk_route(
        "POST",
        f"{TEAM}/next",
        cases.claim_next,
        WORK,
        "Claim the next case",
        "NextCase",
        errors=CHANGING,
        parameters=(*_FILTER, _ONCE),
    ),
    desk_route(
        "POST",
        f"{TEAM}/bulk",
        cases.change_many,
        Permission.CHANGE_MANY,
        "Change many cases",
        "BulkOutcome",
        body="Many",
        errors=CHANGING,
    ),
    desk_route("GET", f"{TEAM}/events", live.stream, READ, "Live updates", _STREAM),
    desk_route("GET", f"{TEAM}/presence", live.read_presence, READ, "Who is here", "People"),
    desk_route(
        "PUT", f"{TEAM}/presence", live.set_presence, READ, "A sign of life", "Done", body="Here"
    ),
    desk_route("GET", CASE, cases.read_case, READ, "One case", "CaseDetail"),
    desk_route(
        "PATCH",
        CASE,
        cases.edit_case,
        Permission.EDIT_CASE,
        "Edit a case",
        "CaseRecord",
        body="Edits",
        errors=CHANGING,
        parameters=(_IF_MATCH,),
    ),
    desk_route(
        "DELETE",
        CASE,
        cases.erase_case,
        Permission.DELETE_CASE,
        "Erase a case",
        GONE,
        errors=CHANGING,
    ),
    *_acting(),
    desk_route(
        "POST",
        f"{CASE}/split",
        cases.split,
        WORK,
        "Split a case",
        "CaseRecord",
        body="Split",
        errors=CHANGING,
    ),
    desk_route("GET", f"{CASE}/comments", cases.read_comments, READ, "Comments", "Comments"),
    desk_route(
        "POST",
        f"{CASE}/comments",
        cases.add_comment,
        Permission.COMMENT,
        "Comment",
        "CommentRecord",
        status=201,
        body="Text",
    ),
    desk_route(
        "PATCH",
        _COMMENT,
        cases.edit_comment,
        Permission.COMMENT,
        "Edit a comment",
        "CommentRecord",
        body="Text",
    ),
    desk_route(
        "DELETE", _COMMENT, cases.remove_comment, Permission.COMMENT, "Remove a comment", GONE
    ),
    desk_route(
        "GET", f"{CASE}/history", cases.read_history, READ, "The history of a case", "CaseHistory"
    ),
    desk_route(
        "PUT", f"{CASE}/watch", cases.watch, Permission.WATCH, "Watch a case", "Done", name="watch"
    ),
    desk_route(
        "DELETE",
        f"{CASE}/watch",
        cases.watch,
        Permission.WATCH,
        "Watch a case no longer",
        "Done",
        name="unwatch",
    ),
    desk_route(
        "GET",
        _PICTURE,
        intake.picture,
        READ,
        "A picture of a case",
        {"200": file_content("image/*")},
    ),
)
