"""What a request to the desk brings: the fields of JSON or of a form, and the version expected."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from server.api.streams import Body, read_json, read_pairs
from unmask.errors import UnmaskError

#: Bytes of a body: a comment, a summary and twenty links fit well.
MAX_BODY = 131_072
MAX_FIELDS = 200
FORM = "application/x-www-form-urlencoded"

#: The number of a case, as a database can hold it.
CaseNumber = Annotated[int, Field(ge=1, le=10**9)]
#: The id of a row.
RowId = Annotated[int, Field(ge=1, le=10**18)]

Fields = TypeVar("Fields", bound=BaseModel)


async def read_fields(request: web.Request, kind: type[Fields]) -> Fields:
    """The fields of the body, JSON or a form; raises ``bad_request`` and ``unsupported_body``.

    An empty field of a form counts as one that was not sent, and ``on`` as true.
    """
    if request.content_type == FORM:
        values = await read_form(request)
    elif request.content_type == "application/json":
        values = await read_json(Body(request), MAX_BODY)
    elif not request.can_read_body:
        values = {}
    else:
        raise UnmaskError("unsupported_body", "Send JSON or a form.")
    return checked_fields(kind, values)


async def read_form(request: web.Request) -> dict[str, Any]:
    """The fields of a form. One that is sent several times, or that is a list by its name
    (``tags[]``), is a list; one line each of a field that ends in ``_lines`` is one, too."""
    values: dict[str, Any] = {}
    for name, text in await read_pairs(request, MAX_BODY, MAX_FIELDS):
        if name.endswith("_lines"):
            values[name.removesuffix("_lines")] = [line for line in text.split() if line]
        elif name.endswith("[]"):
            values.setdefault(name.removesuffix("[]"), []).append(text)
        else:
            values[name] = text
    return values


def checked_fields(kind: type[Fields], values: dict[str, Any]) -> Fields:
    """Values as a model; raises ``bad_request``, which names the first wrong field."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])[:80]
        message = f"The field {field or 'body'} is not valid: {first['msg']}."
        raise UnmaskError("bad_request", message, field=field) from error


def expected_version(request: web.Request) -> int | None:
    """The version of the case that ``If-Match`` names; None without the header, or with ``*``."""
    header = request.headers.get("If-Match", "*").strip()
    if header == "*":
        return None
    text = header.strip('"')
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise UnmaskError("bad_request", "If-Match must be the case's version, as in its ETag.")
    return int(text)
