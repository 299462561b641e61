"""The report as a PDF, to print, to file, to send."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import web

from server.api.responses import not_found, shown_check
from server.context import CHECKS, LANGUAGE
from server.web.texts import texts_in
from unmask.i18n import Texts
from unmask.report import Check, Report


async def pdf(request: web.Request) -> web.Response:
    """The PDF of a done check."""
    check = await shown_check(request)
    if check.report is None:
        raise not_found()
    names = [f"face-{number}.jpg" for number in range(len(check.report.faces))]
    files = await request.app[CHECKS].results(check.id, ["annotated.jpg", *names])
    annotated, *faces = files
    if annotated is None:
        raise not_found()
    body = await asyncio.to_thread(
        _drawn, texts_in(request[LANGUAGE]), check, check.report, annotated, faces
    )
    return web.Response(
        body=body,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="unmask-{check.id}.pdf"',
            "Content-Language": request[LANGUAGE],
        },
    )


def _drawn(
    texts: Texts, check: Check, report: Report, annotated: bytes, faces: Sequence[bytes | None]
) -> bytes:
    # here, and so in a thread: fpdf and its fonts take a tenth of a second to import
    from server.web.pdf import report_pdf

    return report_pdf(texts, check, report, annotated, faces)
