"""The document: every route of the API with what it takes, what it answers, and how it fails."""

from __future__ import annotations

from functools import cache
from typing import Any

from server.api.openapi.schemas import DOOR, TEAM, Json, ref, schemas
from unmask import __version__
from unmask.errors import ERROR_CODES
from unmask.queue import Order
from unmask.report import State, Verdict

ABOUT = """\
Ask whether the faces of a photograph were manipulated. Send a picture, get a check; the check ends
`done`, with a report, or `failed`, with an error. Wait for it with `?wait=`, or listen to its
events: nothing needs to be polled. A check's id is its secret: whoever has it may see the check."""

#: The errors that tell when to try again.
LATER = frozenset({"rate_limited", "busy"})
_RETRY_AFTER = {
    "description": "Seconds after which to try again, with "
    + " and ".join(f"`{code}`" for code in sorted(LATER))
    + ".",
    "schema": {"type": "integer", "minimum": 1},
}


@cache
def document() -> Json:
    """The OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Unmask",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [
            {"name": "Checks", "description": "Ask for a check, follow it, remove it."},
            {"name": "Results", "description": "What a done check found, as pictures and paper."},
            {"name": "Service", "description": "The model, the health and the description."},
        ],
        "paths": _checks() | _results() | _service(),
        "components": {
            "schemas": schemas(),
            "parameters": {"Id": _path("id", "The check's id.", "^[A-Za-z0-9_-]{8,64}$")},
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key, needed unless only this machine can reach the "
                    "server. `unmask keys create` makes one.",
                }
            },
        },
    }


def _checks() -> Json:
    one = [{"$ref": "#/components/parameters/Id"}]
    options = [
        _query("door", "Where the check came in.", DOOR),
        _query("team", "Whose it is.", TEAM),
    ]
    wait = _query(
        "wait",
        "Seconds to wait for the check to end; at most what the server grants.",
        {"type": "number", "minimum": 0, "maximum": 1e9, "default": 0},
    )
    again = {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same key gives the same check again, however often it is sent.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    }
    return {
        "/v1/checks": {
            "post": _operation(
                "createCheck",
                "Ask for a check",
                "Send one picture as a form, as the URL it is at, or as it is.",
                {
                    "200": _located("The check ended in time."),
                    "202": _located("The check is under way; see `Location`."),
                },
                "bad_request bad_url url_refused too_many_bytes not_a_picture damaged key_needed "
                "rate_limited busy idempotency_mismatch slow_upload storage_full",
                parameters=[wait, *options, again],
                body={
                    "multipart/form-data": {"schema": ref("Form")},
                    "application/json": {"schema": ref("Url")},
                    "image/*": {},
                    "application/octet-stream": {},
                },
                scope="check",
            ),
            "get": _operation(
                "listChecks",
                "List a team's checks",
                "Newest or most suspicious first; follow `cursor` until it is null.",
                {"200": _json("A page of checks.", "CheckPage")},
                "bad_request key_needed key_scope",
                parameters=[
                    _query("team", "Whose; without: those of no team.", TEAM),
                    _query("state", "Only those in this state.", _enum(State)),
                    _query("verdict", "Only those with this verdict.", _enum(Verdict)),
                    _query("order", "What comes first.", _enum(Order)),
                    _query(
                        "limit",
                        "How many.",
                        {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
                    ),
                    _query("cursor", "Where the last page ended.", {"type": "string"}),
                ],
                scope="list",
            ),
        },
        "/v1/checks/bulk": {
            "post": _operation(
                "createChecks",
                "Ask for many checks",
                "They are served after those that people wait for. Each picture succeeds or fails "
                "on its own.",
                {"202": _json("What became of each.", "BulkAnswer")},
                "bad_request too_many_bytes key_needed rate_limited busy",
                parameters=options,
                body={
                    "multipart/form-data": {"schema": ref("BulkForm")},
                    "application/json": {"schema": ref("Urls")},
                },
                scope="check",
            )
        },
        "/v1/checks/{id}": {
            "parameters": one,
            "get": _operation(
                "readCheck",
                "Read a check",
                "The report once it is done, before that where the check stands.",
                {"200": _json("The check.", "Answer")},
                "not_found",
                parameters=[_query("download", "Answer as a file.", {"type": "string"})],
            ),
            "delete": _operation(
                "deleteCheck",
                "Remove a check",
                "Removes every trace: the picture, the results, the report.",
                {"204": {"description": "Nothing of it is left."}},
                "not_found key_needed key_scope",
                scope="delete",
            ),
        },
        "/v1/checks/{id}/events": {
            "parameters": one,
            "get": _operation(
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
        },
    }


def _results() -> Json:
    one = [{"$ref": "#/components/parameters/Id"}]
    base = "/v1/checks/{id}"
    pictures = {
        "annotated.jpg": ("The annotated picture", "A box and a label for each face, the mask."),
        "mask.png": ("The mask", "White where the picture was tampered with, in its own size."),
        "heatmap.png": ("The heatmap", "The model's value for each pixel, 0 to 255."),
        "original.jpg": ("The picture itself", "Upright, of bounded size, without metadata."),
    }
    paths: Json = {}
    for name, (title, about) in pictures.items():
        kind = "image/png" if name.endswith("png") else "image/jpeg"
        operation = f"read{name.partition('.')[0].capitalize()}"
        paths[f"{base}/{name}"] = {
            "parameters": one,
            "get": _operation(
                operation,
                title,
                about,
                {"200": _binary(kind)},
                "not_found busy" if name == "original.jpg" else "not_found",
            ),
        }
    number = _path("n", "The face, counted from 0 as in the report.", "^[0-9]{1,3}$")
    paths[f"{base}/face/{{n}}.jpg"] = {
        "parameters": [*one, number],
        "get": _operation(
            "readFace",
            "A face",
            "The crop of one face.",
            {"200": _binary("image/jpeg")},
            "not_found",
        ),
    }
    paths[f"{base}/report.pdf"] = {
        "parameters": one,
        "get": _operation(
            "readPdf",
            "The report on paper",
            "The report with the annotated picture and each face, as a PDF.",
            {"200": _binary("application/pdf")},
            "not_found",
        ),
    }
    return paths


def _service() -> Json:
    text = {"description": "Text.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    return {
        "/v1/model": {
            "get": _operation(
                "readModel",
                "The model",
                "Which model judges, with which bounds, and how well it did when it was tested.",
                {"200": _json("The model.", "PublicModel")},
            )
        },
        "/healthz": {
            "get": _operation(
                "health", "Health", "The server answers.", {"200": _json("Yes.", "Health")}
            )
        },
        "/readyz": {
            "get": _operation(
                "readiness",
                "Readiness",
                "The queue answers, so checks are taken.",
                {"200": _json("Yes.", "Readiness")},
                "not_ready",
            )
        },
        "/metrics": {
            "get": _operation(
                "metrics",
                "Metrics",
                "In the text format of Prometheus.",
                {"200": text},
                "key_needed key_scope",
                scope="metrics",
            )
        },
        "/openapi.json": {
            "get": _operation(
                "description",
                "This description",
                "As OpenAPI 3.1.",
                {
                    "200": {
                        "description": "The document.",
                        "content": {"application/json": {"schema": {"type": "object"}}},
                    }
                },
            )
        },
    }


def _operation(
    name: str,
    title: str,
    about: str,
    answers: Json,
    codes: str = "",
    *,
    parameters: list[Json] | None = None,
    body: Json | None = None,
    scope: str | None = None,
) -> Json:
    """One operation; ``codes`` are the errors worth telling of, any may come."""
    made: Json = {
        "operationId": name,
        "tags": [_tag(name)],
        "summary": title,
        "description": about,
        "responses": answers | _failures(codes.split()),
    }
    if parameters:
        made["parameters"] = parameters
    if body:
        made["requestBody"] = {"required": True, "content": body}
    if scope:
        made["security"] = [{"key": []}, {}]
        made["description"] += f" Where keys are needed, the key needs the scope `{scope}`."
    return made


def _tag(name: str) -> str:
    if "Check" in name:
        return "Checks"
    return "Results" if name.startswith("read") and name != "readModel" else "Service"


def _failures(codes: list[str]) -> Json:
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(ERROR_CODES[code].status, []).append(code)
    found = {str(status): _json(_told(names), "Error") for status, names in by_status.items()}
    for status in {str(ERROR_CODES[code].status) for code in LATER & set(codes)}:
        found[status]["headers"] = {"Retry-After": _RETRY_AFTER}
    # A limit of requests may be reached anywhere.
    default = _json("Any other error.", "Error") | {"headers": {"Retry-After": _RETRY_AFTER}}
    return found | {"default": default}


def _told(codes: list[str]) -> str:
    return " ".join(f"`{code}`: {ERROR_CODES[code].meaning}" for code in codes)


def _json(description: str, schema: str) -> Json:
    return {"description": description, "content": {"application/json": {"schema": ref(schema)}}}


def _located(description: str) -> Json:
    where = {
        "description": "The check's address.",
        "required": True,
        "schema": {"type": "string", "pattern": "^/v1/checks/[0-9a-f]{32}$"},
    }
    return _json(description, "Answer") | {"headers": {"Location": where}}


def _binary(kind: str) -> Json:
    return {"description": "The file.", "content": {kind: {}}}


def _query(name: str, about: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "description": about, "schema": schema}


def _path(name: str, about: str, pattern: str) -> Json:
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "path", "required": True, "description": about, "schema": schema}


def _enum(kind: Any) -> Json:
    return {"type": "string", "enum": [member.value for member in kind]}
