"""An operation of the API, and the parts that operations are described with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from server.api.openapi.schemas import Json, ref
from unmask.errors import ERROR_CODES
from unmask.permissions import Permission, scope_of

#: The errors that tell when to try again.
RETRYABLE = frozenset({"rate_limited", "busy"})
_RETRY_AFTER = {
    "description": "Seconds after which to try again, with "
    + " and ".join(f"`{code}`" for code in sorted(RETRYABLE))
    + ".",
    "schema": {"type": "integer", "minimum": 1},
}


@dataclass(frozen=True)
class Operation:
    """What one route takes and answers. ``errors`` are the codes worth listing; any may come."""

    name: str
    title: str
    description: str
    responses: Json
    errors: str = ""
    parameters: tuple[Json, ...] = ()
    body: Json | None = None

    def as_json(self, tag: str, needs: Permission) -> Json:
        """The operation as OpenAPI describes it, with the scope that it needs."""
        operation: Json = {
            "operationId": self.name,
            "tags": [tag],
            "summary": self.title,
            "description": self.description,
            "responses": self.responses | _failures(self.errors.split()),
        }
        if self.parameters:
            operation["parameters"] = list(self.parameters)
        if self.body:
            operation["requestBody"] = {"required": True, "content": self.body}
        scope = scope_of(needs)
        if scope is not None:
            operation["security"] = [{"key": []}, {}]
            operation["description"] += (
                f" Where keys are needed, the key needs the scope `{scope}`."
            )
        return operation


def json_content(description: str, schema: str) -> Json:
    """A response with JSON of a schema."""
    return {"description": description, "content": {"application/json": {"schema": ref(schema)}}}


def file_content(kind: str) -> Json:
    """A response with a file of a content type."""
    return {"description": "The file.", "content": {kind: {}}}


def with_location(description: str) -> Json:
    """A response with a check and its address."""
    location = {
        "description": "The check's address.",
        "required": True,
        "schema": {"type": "string", "pattern": "^/v1/checks/[0-9a-f]{32}$"},
    }
    return json_content(description, "Check") | {"headers": {"Location": location}}


def query(name: str, description: str, schema: Json) -> Json:
    """A parameter in the query."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


def idempotency(description: str) -> Json:
    """The header with which a request may be sent again."""
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "description": description,
        "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    }


def enum_of(kind: type[StrEnum]) -> Json:
    """The schema of an enumeration."""
    return {"type": "string", "enum": [member.value for member in kind]}


def _failures(codes: list[str]) -> Json:
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(ERROR_CODES[code].status, []).append(code)
    failures = {
        str(status): json_content(_meanings(names), "Error") for status, names in by_status.items()
    }
    for status in {str(ERROR_CODES[code].status) for code in RETRYABLE & set(codes)}:
        failures[status]["headers"] = {"Retry-After": _RETRY_AFTER}
    # A limit of requests may be reached anywhere.
    default = json_content("Any other error.", "Error") | {"headers": {"Retry-After": _RETRY_AFTER}}
    return failures | {"default": default}


def _meanings(codes: list[str]) -> str:
    return " ".join(f"`{code}`: {ERROR_CODES[code].meaning}" for code in codes)
