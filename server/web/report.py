"""The report as a PDF, to print, to file, to send."""

from __future__ import annotations

import asyncio

from aiohttp import web

from server.api.responses import check_of, not_found
from server.context import CHECKS
from server.web.pdf import report_pdf


async def pdf(request: web.Request) -> web.Response:
    """The PDF of a done check."""
    check = await check_of(request)
    checks = request.app[CHECKS]
    report = await checks.report(check.id)
    annotated = await checks.result_picture(check.id, "annotated.jpg")
    if report is None or annotated is None:
        raise not_found()
    names = [f"face-{number}.jpg" for number in range(len(report.faces))]
    faces = [await checks.result_picture(check.id, name) for name in names]
    body = await asyncio.to_thread(report_pdf, report, annotated, faces)
    return web.Response(
        body=body,
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="unmask-{check.id}.pdf"'},
    )
