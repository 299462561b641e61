"""The public report of a case: anybody may read it, and machines too."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from desk.cases import PublicReport
from desk.vocabulary import HumanVerdict
from server.api.preview import PREVIEWS
from server.api.responses import json_response
from server.context import DESK, LANGUAGE
from server.desk.addresses import address
from server.desk.intake import picture_response
from server.web.desk import texts
from server.web.desk.rendering import show
from server.web.texts import texts_in
from unmask.errors import UnmaskError
from unmask.i18n import Texts

#: What a verdict is in MediaReview (schema.org); "cannot tell" is none of its categories.
MEDIA_CATEGORIES = {
    HumanVerdict.AUTHENTIC: "OriginalMediaContent",
    HumanVerdict.MANIPULATED: "TransformedContent",
    HumanVerdict.GENERATED: "TransformedContent",
    HumanVerdict.OUT_OF_CONTEXT: "DecontextualizedContent",
}
#: A verdict's place between false (1) and true (5), for ClaimReview.
RATINGS = {
    HumanVerdict.AUTHENTIC: 5,
    HumanVerdict.MANIPULATED: 1,
    HumanVerdict.GENERATED: 1,
    HumanVerdict.OUT_OF_CONTEXT: 2,
}


async def page(request: web.Request) -> web.Response:
    """The report for people, with ClaimReview and MediaReview for machines."""
    report = await _report(request)
    return show(
        request,
        "public.html",
        report=report,
        linked=linked_data(request, report) if report.withdrawn_at is None else None,
        address=address(request, f"/r/{report.slug}"),
    )


async def as_json(request: web.Request) -> web.Response:
    """The report as JSON, with its linked data; of a withdrawn one only that it was."""
    report = await _report(request)
    if report.withdrawn_at is not None:
        kept = {"slug", "version", "team", "corrections", "withdrawn_at"}
        return json_response(report.model_dump(mode="json", include=kept))
    shown = report.model_dump(mode="json", exclude={"picture"})
    return json_response(shown | {"linked_data": linked_data(request, report)})


async def as_pdf(request: web.Request) -> web.Response:
    """The report as a PDF, to print, to file, to send; it says what the page says."""
    report = await _report(request)
    shown = await _picture(request) if report.withdrawn_at is None else None
    body = await asyncio.to_thread(
        _drawn,
        texts_in(request[LANGUAGE]),
        report,
        address(request, f"/r/{report.slug}"),
        shown,
    )
    return web.Response(
        body=body,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="report-{report.slug}.pdf"',
            "Content-Language": request[LANGUAGE],
            "Vary": "Accept-Language, Cookie",
        },
    )


async def picture(request: web.Request) -> web.Response:
    """The picture that the report shows, upright, as JPEG, without the file's metadata."""
    preview = await _picture(request)
    if preview is None:
        raise UnmaskError("not_found", "There is no such picture.")
    return picture_response(preview, "image/jpeg")


async def _picture(request: web.Request) -> bytes | None:
    """The JPEG of the picture; None where the report shows none."""
    desk, slug = request.app[DESK], request.match_info["slug"]
    kept = await desk.publishing.picture_of(slug)
    if kept is None:
        return None
    team_id, key = kept

    async def read() -> bytes | None:
        return await desk.keep.get(team_id, key, "original.bin")

    return await request.app[PREVIEWS].render(f"report/{slug}", read)


def linked_data(request: web.Request, report: PublicReport) -> list[dict[str, Any]]:
    """The report as a ClaimReview, and as a MediaReview where its verdict has a category."""
    translate = texts_in(request[LANGUAGE]).gettext
    verdict = translate(texts.VERDICTS[report.verdict])
    url = address(request, f"/r/{report.slug}")
    common = {
        "@context": "https://schema.org",
        "url": url,
        "datePublished": report.first_published_at.date().isoformat(),
        "dateModified": report.published_at.date().isoformat(),
        "author": {"@type": "Organization", "name": report.team},
        "inLanguage": report.locale,
    }
    rating: dict[str, Any] = {"@type": "Rating", "alternateName": verdict}
    if report.verdict in RATINGS:
        rating |= {"ratingValue": RATINGS[report.verdict], "bestRating": 5, "worstRating": 1}
    claim: dict[str, Any] = common | {
        "@type": "ClaimReview",
        "claimReviewed": report.claim or report.title,
        "reviewRating": rating,
        "itemReviewed": {
            "@type": "Claim",
            "appearance": [
                {"@type": "CreativeWork", "url": appearance} for appearance in report.appearances
            ],
        },
    }
    if report.verdict not in MEDIA_CATEGORIES:
        return [claim]
    media: dict[str, Any] = common | {
        "@type": "MediaReview",
        "mediaAuthenticityCategory": MEDIA_CATEGORIES[report.verdict],
        "originalMediaContextDescription": report.summary,
        "associatedClaimReview": {"@type": "ClaimReview", "url": url},
    }
    if report.picture is not None:
        media["itemReviewed"] = {
            "@type": "ImageObject",
            "contentUrl": address(request, f"/r/{report.slug}/picture.jpg"),
        }
    return [claim, media]


async def _report(request: web.Request) -> PublicReport:
    return await request.app[DESK].publishing.read(request.match_info["slug"])


def _drawn(texts: Texts, report: PublicReport, url: str, picture: bytes | None) -> bytes:
    # here, and so in a thread: fpdf and its fonts take a tenth of a second to import
    from server.web.desk.public_pdf import public_report_pdf

    return public_report_pdf(texts, report, url, picture)
