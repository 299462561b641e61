"""What handlers respond with: checks and reports as JSON; and the check that a path names."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from server.context import CHECKS
from unmask.errors import UnmaskError
from unmask.report import Check, Pictures, Report, State


def json_response(value: Any, status: int = 200, **headers: str) -> web.Response:
    """``value`` as compact JSON; underscores in names of headers become hyphens."""
    return web.Response(
        text=json.dumps(value, separators=(",", ":"), ensure_ascii=False),
        status=status,
        content_type="application/json",
        headers={name.replace("_", "-"): text for name, text in headers.items()},
    )


async def check_json(request: web.Request, check: Check) -> dict[str, Any]:
    """A check as every client sees it: its report once it is done, else its state."""
    report = await request.app[CHECKS].report(check.id) if check.state is State.DONE else None
    return check.model_dump(mode="json") if report is None else report_json(report)


def report_json(report: Report) -> dict[str, Any]:
    """A report with the addresses of its pictures."""
    base = f"/v1/checks/{report.id}"
    pictures = Pictures(
        annotated=f"{base}/annotated.jpg", mask=f"{base}/mask.png", heatmap=f"{base}/heatmap.png"
    )
    return report.model_copy(update={"pictures": pictures}).model_dump(mode="json")


async def check_of(request: web.Request) -> Check:
    """The check that the path names; raises ``not_found``."""
    check = await request.app[CHECKS].get(request.match_info["id"])
    if check is None:
        raise not_found()
    return check


def not_found() -> UnmaskError:
    """The error for a check that never was or has expired: a client must not learn which."""
    return UnmaskError("not_found", "There is no such check, or it has expired.")


def wants_page(request: web.Request) -> bool:
    """Whether the client is a browser, on an address that people visit."""
    if request.path.startswith(("/v1/", "/metrics", "/healthz", "/readyz", "/openapi")):
        return False
    return "text/html" in request.headers.get("Accept", "")
