"""What handlers respond with: checks and reports as JSON; and the check that a path names."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from server.context import ACTOR, CHECKS, COPIES
from unmask.errors import UnmaskError
from unmask.findings import copy_seen_before, seen_before
from unmask.permissions import Permission, may
from unmask.report import Check
from unmask.wording.evidence import with_evidence

#: The pictures of a result, as a report and the routes name them.
RESULT_FILES = {"annotated": "annotated.jpg", "mask": "mask.png", "heatmap": "heatmap.png"}
#: The fields of a report that the version before showed beside those of the check.
DEPRECATED = (
    "version",
    "statement",
    "image",
    "faces",
    "model",
    "threshold",
    "real_bound",
    "fake_bound",
    "pictures",
    "timings_ms",
    "warnings",
)


def json_response(value: Any, status: int = 200, **headers: str) -> web.Response:
    """``value`` as compact JSON; underscores in names of headers become hyphens."""
    return web.Response(
        text=json.dumps(value, separators=(",", ":"), ensure_ascii=False),
        status=status,
        content_type="application/json",
        headers={name.replace("_", "-"): text for name, text in headers.items()},
    )


def check_json(check: Check, prefix: str = "") -> dict[str, Any]:
    """A check as every client sees it, with the addresses of its pictures below ``prefix``.

    For one version the fields :data:`DEPRECATED` stand beside those of the check, too.
    """
    shown = check.model_dump(mode="json")
    report = shown["report"]
    if report is None:
        return shown
    base = f"{prefix}/v1/checks/{check.id}"
    report["pictures"] = {kind: f"{base}/{name}" for kind, name in RESULT_FILES.items()}
    return shown | {name: report[name] for name in DEPRECATED}


async def check_of(request: web.Request) -> Check:
    """The check that the path names; raises ``not_found``."""
    check = await request.app[CHECKS].get(request.match_info["id"])
    if check is None:
        raise not_found()
    return check


async def shown_check(request: web.Request) -> Check:
    """The check that the path names, as the caller may see it: see :func:`with_earlier`."""
    return await with_earlier(request, await check_of(request))


async def with_earlier(request: web.Request, check: Check) -> Check:
    """A done check, with notes if its team had the same file, or copies of it, checked before.

    Only for those who may list the team's checks: to others the note would tell of them.
    """
    report, actor = check.report, request[ACTOR]
    if report is None or not check.team or not may(actor, Permission.LIST_CHECKS, check):
        return check
    times = await request.app[CHECKS].earlier(check)
    copies = await request.app[COPIES].before(check)
    notes = [seen_before(times)] if times else []
    if copies:
        notes.append(copy_seen_before(copies))
    if not notes:
        return check
    evidence = (*report.evidence, *notes)
    return check.model_copy(update={"report": with_evidence(report, evidence)})


def not_found() -> UnmaskError:
    """The error for a check that never was or has expired: a client must not learn which."""
    return UnmaskError("not_found", "There is no such check, or it has expired.")


def wants_page(request: web.Request) -> bool:
    """Whether the client is a browser, on an address that people visit."""
    if request.path.startswith(("/v1/", "/metrics", "/healthz", "/readyz", "/openapi")):
        return False
    return "text/html" in request.headers.get("Accept", "")
