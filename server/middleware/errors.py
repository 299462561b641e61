"""Every error leaves in the one shape of errors, or as a page for a browser that wants a page."""

from __future__ import annotations

import logging
from urllib.parse import quote

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.typedefs import Handler

from server.api.responses import json_response, wants_page
from server.context import METRICS, REQUEST_ID
from server.web.rendering import PAGES, root_of, view_of
from unmask.errors import UnmaskError

LOG = logging.getLogger("unmask.server")

#: What aiohttp itself refuses, in our codes.
BY_STATUS = {
    403: ("not_found", "There is nothing at this address."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take that method."),
    413: ("too_many_bytes", "The request is larger than the limit."),
    415: ("unsupported_body", "The request's content type is not one that is read."),
}


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn an exception into a response."""
    try:
        return await handler(request)
    except UnmaskError as error:
        return _response(request, error)
    except web.HTTPException as answer:
        if answer.status < 400:
            raise
        code, message = BY_STATUS.get(answer.status, ("bad_request", "The request is malformed."))
        response = _response(request, UnmaskError(code, message))
        if "Allow" in answer.headers:
            response.headers["Allow"] = answer.headers["Allow"]
        return response
    except (HttpProcessingError, web.RequestPayloadError):
        return _response(request, UnmaskError("bad_request", "The body is malformed or cut short."))
    except ConnectionError:
        raise  # The client is gone: nobody is left to answer.
    except Exception:
        LOG.exception("unforeseen", extra={"request_id": request[REQUEST_ID]})
        internal = UnmaskError(
            "internal",
            "Something unforeseen went wrong. Tell us the request id if it happens again.",
            request_id=request[REQUEST_ID],
        )
        return _response(request, internal)


def _response(request: web.Request, error: UnmaskError) -> web.Response:
    request.app[METRICS].errors.labels(error.code).inc()
    if error.code == "sign_in_needed" and request.method == "GET" and wants_page(request):
        wanted = quote(request.path_qs, safe="/")
        raise web.HTTPSeeOther(f"{root_of(request)}sign-in?next={wanted}")
    if wants_page(request):
        response = request.app[PAGES].error(view_of(request), error)
    else:
        response = json_response(error.as_json(), status=error.status)
    if "retry_after" in error.detail:
        response.headers["Retry-After"] = str(error.detail["retry_after"])
    if error.code == "key_needed":
        response.headers["WWW-Authenticate"] = 'Bearer realm="unmask"'
    return response
