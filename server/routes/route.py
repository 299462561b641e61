"""What a route is."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp.typedefs import Handler
from aiohttp.web_urldispatcher import DynamicResource

from server.api.openapi import Operation
from unmask.findings import Layer
from unmask.permissions import Permission

#: A check's id in a path.
ID = "{id:[A-Za-z0-9_-]{8,64}}"
#: Where a check is found.
CHECK = f"/v1/checks/{ID}"
#: A layer's name in a path.
LAYER = f"{{layer:{'|'.join(Layer)}}}"


@dataclass(frozen=True)
class Route:
    """One route: its handler, what an actor needs to take it, and, in the API, its description.

    ``extension`` says that the browser extension needs it, and may read its answers.
    """

    method: str
    path: str
    handler: Handler
    operation: Operation | None = None
    needs: Permission = Permission.VISIT
    extension: bool = False

    @property
    def canonical(self) -> str:
        """The path as aiohttp names a resource, and as documents name it: without the patterns."""
        return DynamicResource(self.path).canonical if "{" in self.path else self.path
