"""Assembles the document from the operations that stand beside their routes (server/routes/)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from server.api.openapi.schemas import Json, schemas
from unmask import __version__

ABOUT = """\
Ask whether the faces of a photograph were manipulated. Send a picture, get a check; the check ends
`done`, with a report, or `failed`, with an error. Wait for it with `?wait=`, or listen to its
events: nothing needs to be polled. A check's id is its secret: everybody who has it may see the
check."""
TAGS = {
    "Checks": "Ask for a check, follow it, remove it.",
    "Results": "What a done check found, as pictures and paper.",
    "Service": "The model, the health and the description.",
}
_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The check's id.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
}
#: The parameters in paths, by name.
_IN_PATHS: dict[str, Json] = {
    "id": {"$ref": "#/components/parameters/Id"},
    "n": {
        "name": "n",
        "in": "path",
        "required": True,
        "description": "The face, counted from 0 as in the report.",
        "schema": {"type": "string", "pattern": "^[0-9]{1,3}$"},
    },
}


def document(operations: Iterable[tuple[str, str, Json]]) -> Json:
    """The OpenAPI document of operations, each with its path and method before it."""
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
            "schemas": schemas(),
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
