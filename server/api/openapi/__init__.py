"""The API described for machines, as OpenAPI 3.1; the reference page is drawn from it too."""

from server.api.openapi.document import document

__all__ = ["document"]
