"""What happens to every request, one concern a module; :data:`MIDDLEWARES` is outermost first."""

from server.middleware.access import access
from server.middleware.errors import errors
from server.middleware.headers import add_headers
from server.middleware.language import language
from server.middleware.origin import add_shared_headers, origin
from server.middleware.record import record

MIDDLEWARES = (record, language, errors, origin, access)

__all__ = ["MIDDLEWARES", "add_headers", "add_shared_headers"]
