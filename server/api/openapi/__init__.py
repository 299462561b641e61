"""The API described for machines, as OpenAPI 3.1; the reference page is drawn from it too."""

from server.api.openapi.document import document
from server.api.openapi.operation import (
    Operation,
    enum_of,
    file_content,
    idempotency,
    json_content,
    query,
    with_location,
)
from server.api.openapi.schemas import DOOR, LANGUAGE, TEAM, Json, ref

__all__ = [
    "DOOR",
    "LANGUAGE",
    "TEAM",
    "Json",
    "Operation",
    "document",
    "enum_of",
    "file_content",
    "idempotency",
    "json_content",
    "query",
    "ref",
    "with_location",
]
