"""The routes of a team's desk are alike: JSON in, JSON out, named after their handler."""

from __future__ import annotations

from inspect import getdoc

from aiohttp.typedefs import Handler

from server.api.openapi import Json, Operation, json_content, ref
from server.routes.route import Route
from unmask.permissions import Permission

#: Where a team's desk is found. A person may be in several teams, so each address names its own.
TEAM = "/v1/teams/{team:[a-z0-9][a-z0-9-]{0,39}}"
CASE = TEAM + "/cases/{number:[1-9][0-9]{0,8}}"
#: A row of something that belongs to the team.
ITEM = "/{item:[1-9][0-9]{0,17}}"
#: The errors that any route of a desk may answer with, and those of one that changes a case.
ERRORS = "sign_in_needed not_allowed key_scope not_found bad_request database_unavailable"
CHANGING = f"{ERRORS} conflict claim_limit second_opinion_due"
#: Answers that hold no JSON.
GONE: Json = {"204": {"description": "It is gone."}}


def desk_route(
    method: str,
    path: str,
    handler: Handler,
    needs: Permission,
    title: str,
    answer: str | Json,
    *,
    status: int = 200,
    body: str | None = None,
    errors: str = ERRORS,
    parameters: tuple[Json, ...] = (),
    about: str = "",
    name: str = "",
    extension: bool = False,
) -> Route:
    """A route that its handler's docstring describes, unless ``about`` and ``name`` are given.

    ``answer`` is the schema of the answer, or all answers by their status; ``body`` is the schema
    of the JSON that is sent.
    """
    text = about or " ".join((getdoc(handler) or "").split()).replace("``", "`")
    answers = answer if isinstance(answer, dict) else {str(status): json_content(text, answer)}
    operation = Operation(
        name or handler.__name__,
        title,
        text,
        answers,
        errors,
        parameters,
        {"application/json": {"schema": ref(body)}} if body else None,
    )
    return Route(method, path, handler, operation, needs, extension)
