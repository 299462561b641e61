"""Assembles the document from the operations that stand beside their routes (server/routes/)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from server.api.openapi.schemas import Json, schemas
from unmask import __version__
from unmask.findings import Layer

ABOUT = """\
Ask whether the faces of a photograph were manipulated. Send a picture, get a check; the check ends
`done`, with a report, or `failed`, with an error. Wait for it with `?wait=`, or listen to its
events: nothing needs to be polled. A check's id is its secret: everybody who has it may see the
check."""
TAGS = {
    "Checks": "Ask for a check, follow it, remove it.",
    "Results": "What a done check found, as pictures and paper.",
    "Cases": "What a team works through together; for its members, who sign in, and its keys.",
    "Teams": "A team's rules, people, keys and webhooks.",
    "Service": "The model, the health and the description.",
}
_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The check's id.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
}


def _in_path(name: str, about: str, pattern: str) -> Json:
    schema: Json = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "path", "required": True, "description": about, "schema": schema}


#: The parameters in paths, by name.
_IN_PATHS: dict[str, Json] = {
    "id": {"$ref": "#/components/parameters/Id"},
    "n": _in_path("n", "The face, counted from 0 as in the report.", "^[0-9]{1,3}$"),
    "layer": _in_path("layer", "Which layer.", f"^({'|'.join(Layer)})$"),
    "team": _in_path("team", "The team's short name.", "^[a-z0-9][a-z0-9-]{0,39}$"),
    "number": _in_path("number", "The case's number.", "^[1-9][0-9]{0,8}$"),
    "item": _in_path("item", "The id, as lists give it.", "^[1-9][0-9]{0,17}$"),
    "comment": _in_path("comment", "The comment's id.", "^[1-9][0-9]{0,17}$"),
    "picture": _in_path("picture", "The picture's id, as the case gives it.", "^[1-9][0-9]{0,17}$"),
    "file": _in_path("file", "Which one: `original.jpg`, `mask.png`, ...", "^[a-z0-9.-]+$"),
    "check": _in_path("check", "The check's id.", "^[0-9a-f]{32}$"),
    "prefix": _in_path("prefix", "The public part of the key.", "^[0-9a-f]{12}$"),
    "form": _in_path("form", "The form of the file.", "^(csv|json)$"),
}


def document(operations: Iterable[tuple[str, str, Json]], more_schemas: Json) -> Json:
    """The OpenAPI document of operations, each with its path and method before it.

    ``more_schemas`` are those that the operations name besides the API's own.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Unmask",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        # Below wherever the document lies: a proxy may show the server under a path.
        "servers": [{"url": "."}],
        "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
        "paths": _paths(operations),
        "components": {
            "schemas": schemas() | more_schemas,
            "parameters": {"Id": _ID},
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


def _paths(operations: Iterable[tuple[str, str, Json]]) -> Json:
    paths: dict[str, Json] = {}
    for path, method, operation in operations:
        item = paths.setdefault(path, {})
        names = re.findall(r"\{(\w+)\}", path)
        if names:
            item["parameters"] = [_IN_PATHS[name] for name in names]
        item[method.lower()] = operation
    return paths
