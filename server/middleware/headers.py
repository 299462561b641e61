"""The headers that every answer carries, streams included."""

from __future__ import annotations

from aiohttp import web

from server.context import POLICY, REQUEST_ID

#: A page runs our script, uses our styles, and shows our pictures and those not sent yet.
PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
OTHER_CSP = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

FIXED = {
    "Server": "unmask",
    "X-Content-Type-Options": "nosniff",
    # A check's address is its secret: it must not travel to other sites.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex",
}


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """A signal's receiver: runs just before the head of an answer is sent."""
    headers = response.headers
    headers.update(FIXED)
    # The extension gets one header more than others: no cache may mix up the two answers.
    headers.add("Vary", "Origin")
    headers["X-Request-Id"] = request.get(REQUEST_ID, "none")
    is_page = response.content_type == "text/html"
    if is_page:
        headers.add("Vary", "Accept-Language, Cookie")
    headers["Content-Security-Policy"] = PAGE_CSP if is_page else OTHER_CSP
    # Browsers ask for our own files each time, and get them only if they changed.
    static = request.path.startswith("/static/")
    headers.setdefault("Cache-Control", "no-cache" if static else "no-store")
    if request.app[POLICY].https:
        headers["Strict-Transport-Security"] = "max-age=31536000"
