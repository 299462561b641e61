"""The schemas: the domain's own models, and the few shapes that only the API knows."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from server.api import body
from server.api.responses import DEPRECATED
from server.model import PublicModel
from unmask.errors import ERROR_CODES
from unmask.i18n import LANGUAGES
from unmask.report import Check, Report, State

Json = dict[str, Any]
REF = "#/components/schemas/"


def ref(name: str) -> Json:
    """A reference to a schema."""
    return {"$ref": f"{REF}{name}"}


def schemas() -> Json:
    """All schemas by name."""
    _, made = models_json_schema(
        [(model, "serialization") for model in (Check, Report, PublicModel)],
        ref_template=REF + "{model}",
    )
    models: Json = made["$defs"]
    return models | {
        "Check": _with_deprecated(models["Check"], models["Report"]),
        "Error": _ERROR,
        "CheckPage": shape(
            "Some checks of a list, and the cursor of the next ones.",
            checks={"type": "array", "items": ref("Check")},
            cursor={"type": ["string", "null"]},
        ),
        "BulkAnswer": shape(
            "A check or an error for each picture, in the order sent.",
            checks={"type": "array", "items": {"anyOf": [ref("Check"), ref("Error")]}},
        ),
        "Key": shape(
            "What an API key allows.",
            needed={"type": "boolean"},
            scopes={"type": "array", "items": {"type": "string"}},
            team={"type": ["string", "null"]},
        ),
        "Url": shape("Where the picture is.", url={"type": "string"}, **_OPTIONS)
        | {"required": ["url"]},
        "Urls": shape(
            "Where the pictures are.",
            urls={"type": "array", "minItems": 1, "items": {"type": "string"}},
            **_OPTIONS,
        )
        | {"required": ["urls"]},
        "Form": shape(
            "A picture, or where it is.",
            file={"type": "string", "format": "binary"},
            url={"type": "string"},
            **_OPTIONS,
        )
        | {"required": []},
        "BulkForm": shape(
            "Pictures: the field `file`, once for each.",
            file={"type": "array", "items": {"type": "string", "format": "binary"}},
        ),
        "Event": shape(
            "One server-sent event: named by the state, with the check as JSON in `data`.",
            event={"type": "string", "enum": [*State, "error"]},
            data={"type": "string"},
        ),
        "Metadata": shape(
            "What the file holds beside the picture.",
            fields={"type": "array", "items": _FIELD},
            left_out={"type": "integer", "description": "How many fields more there are."},
            place={
                "anyOf": [
                    shape(
                        "In degrees; south and west are negative.",
                        latitude={"type": "number"},
                        longitude={"type": "number"},
                    ),
                    {"type": "null"},
                ]
            },
        ),
        "Health": shape("It answers.", status={"const": "ok"}),
        "Readiness": shape(
            "Checks are taken.",
            status={"const": "ready"},
            workers={"type": "integer"},
            waiting={"type": "integer"},
        ),
    }


def _with_deprecated(check: Json, report: Json) -> Json:
    """The schema of a check, with the fields of its report that stand beside it for one version."""
    told = {"deprecated": True, "description": "The same as in `report`; read it there."}
    fields = {name: report["properties"][name] | told for name in DEPRECATED}
    return check | {"properties": check["properties"] | fields}


def shape(description: str, **properties: Json) -> Json:
    """The schema of an object with these properties, all of them there."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
    }


def listed(name: str, schema: str) -> Json:
    """The schema of an object with one list, under a name."""
    return shape(f"The {name}.", **{name: {"type": "array", "items": ref(schema)}})


DOOR: Json = {"type": "string", "enum": ["api", "web", "extension"], "default": "api"}
TEAM: Json = {"type": "string", "pattern": body.TEAM}
LANGUAGE: Json = {"type": "string", "enum": list(LANGUAGES)}
_OPTIONS = {"door": DOOR, "team": TEAM, "language": LANGUAGE}
_FIELD = shape(
    "One field, named as exiftool names it, and what it means where that needs a word.",
    name={"type": "string"},
    value={"type": "string"},
    meaning={"type": "string"},
) | {"required": ["name", "value"]}
_ERROR: Json = {
    "type": "object",
    "description": "What every error looks like; see docs/errors.md for the codes.",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string", "enum": sorted(ERROR_CODES)},
                "message": {"type": "string"},
                "detail": {"type": "object"},
            },
            "required": ["code", "message", "detail"],
        }
    },
    "required": ["error"],
}
