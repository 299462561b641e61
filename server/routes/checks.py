"""The routes of checks: create, read, list, follow and delete them."""

from __future__ import annotations

from server.api import bulk, checks, events
from server.api.openapi import (
    DOOR,
    LANGUAGE,
    TEAM,
    Operation,
    enum_of,
    idempotency,
    json_content,
    query,
    ref,
    with_location,
)
from server.routes.route import CHECK, Route
from unmask.permissions import Permission
from unmask.queue.lists import Order
from unmask.report import State, Verdict

_OPTIONS = (
    query("door", "Where the check came in.", DOOR),
    query("team", "Whose it is.", TEAM),
    query(
        "language",
        "Of the words on the annotated picture; without it `Accept-Language` decides.",
        LANGUAGE,
    ),
)
_WAIT = query(
    "wait",
    "Seconds to wait for the check to end; at most what the server grants.",
    {"type": "number", "minimum": 0, "maximum": 1e9, "default": 0},
)
_IDEMPOTENCY_KEY = idempotency("The same key gives the same check again, however often it is sent.")
_LIMIT = {"type": "integer", "minimum": 1, "maximum": checks.MAX_LISTED, "default": 50}

CHECKS = (
    Route(
        "POST",
        "/v1/checks",
        checks.create,
        Operation(
            "createCheck",
            "Ask for a check",
            "Send one picture as a form, as the URL it is at, or as it is.",
            {
                "200": with_location("The check ended in time."),
                "202": with_location("The check is under way; see `Location`."),
            },
            "bad_request bad_url url_refused too_many_bytes not_a_picture damaged key_needed "
            "rate_limited busy idempotency_mismatch slow_upload storage_full",
            parameters=(_WAIT, *_OPTIONS, _IDEMPOTENCY_KEY),
            body={
                "multipart/form-data": {"schema": ref("Form")},
                "application/json": {"schema": ref("Url")},
                "image/*": {},
                "application/octet-stream": {},
            },
        ),
        Permission.CREATE_CHECK,
        extension=True,
    ),
    Route(
        "GET",
        "/v1/checks",
        checks.list_page,
        Operation(
            "listChecks",
            "List a team's checks",
            "Newest or most suspicious first; follow `cursor` until it is null.",
            {"200": json_content("A page of checks.", "CheckPage")},
            "bad_request key_needed key_scope",
            parameters=(
                query("team", "Whose; without: those of no team.", TEAM),
                query("state", "Only those in this state.", enum_of(State)),
                query("verdict", "Only those with this verdict.", enum_of(Verdict)),
                query("order", "What comes first.", enum_of(Order)),
                query("limit", "How many.", _LIMIT),
                query("cursor", "Where the last page ended.", {"type": "string"}),
            ),
        ),
        Permission.LIST_CHECKS,
    ),
    Route(
        "POST",
        "/v1/checks/bulk",
        bulk.create,
        Operation(
            "createChecks",
            "Ask for many checks",
            "They are served after those that people wait for. Each picture succeeds or fails on "
            "its own.",
            {"202": json_content("What became of each.", "BulkAnswer")},
            "bad_request too_many_bytes key_needed rate_limited busy",
            parameters=_OPTIONS,
            body={
                "multipart/form-data": {"schema": ref("BulkForm")},
                "application/json": {"schema": ref("Urls")},
            },
        ),
        Permission.CREATE_CHECK,
    ),
    Route(
        "GET",
        CHECK,
        checks.read,
        Operation(
            "readCheck",
            "Read a check",
            "Where the check stands, and its report once it is done.",
            {"200": json_content("The check.", "Check")},
            "not_found",
            parameters=(query("download", "Answer as a file.", {"type": "string"}),),
        ),
        extension=True,
    ),
    Route(
        "DELETE",
        CHECK,
        checks.delete,
        Operation(
            "deleteCheck",
            "Remove a check",
            "Removes every trace: the picture, the results, the report.",
            {"204": {"description": "Nothing of it is left."}},
            "not_found key_needed key_scope",
        ),
        Permission.DELETE_CHECK,
    ),
    Route(
        "GET",
        f"{CHECK}/events",
        events.stream,
        Operation(
            "followCheck",
            "Follow a check",
            "Server-sent events, named by the state; each holds the check as JSON. The stream "
            "begins with the present state and ends after `done` or `failed`.",
            {
                "200": {
                    "description": "The events.",
                    "content": {"text/event-stream": {"schema": ref("Event")}},
                }
            },
            "not_found",
        ),
        extension=True,
    ),
)
