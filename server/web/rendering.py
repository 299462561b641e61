"""Renders the pages: templates in, answers out. A card shows one check, wherever it stands."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from server.model import PublicModel
from server.web.texts import CAVEATS, STATES, VERDICTS, lifetime, megabytes
from unmask.errors import UnmaskError
from unmask.report import Check, Report, Verdict, shown_percent
from unmask.settings import Settings

HERE = Path(__file__).parent
#: Width over height above which a picture gets the whole width of its card.
WIDE = 1.6


class Pages:
    """All pages of one server."""

    def __init__(self, settings: Settings, model: PublicModel) -> None:
        self._env = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._env.filters["percent"] = shown_percent
        self._env.filters["code"] = _with_code
        self._env.filters["count"] = lambda number: f"{number:,}"
        self._env.globals.update(
            model=model,
            kept=lifetime(settings.retention),
            max_bytes=settings.max_bytes,
            max_megabytes=megabytes(settings.max_bytes),
            version=_fingerprint(HERE / "static"),
            verdicts=VERDICTS,
            states=STATES,
            caveats=CAVEATS,
            Verdict=Verdict,
        )

    def home(
        self, *, signed_in: bool, locked: bool, wrong_key: bool = False, may_remove: bool = False
    ) -> web.Response:
        """The page to drop photos on; ``locked`` asks for a key first."""
        return self._page(
            "home.html",
            401 if wrong_key else 200,
            signed_in=signed_in,
            locked=locked,
            wrong_key=wrong_key,
            may_remove=may_remove,
        )

    def check(self, check: Check, *, may_remove: bool) -> web.Response:
        """The page of one check, to share; ``may_remove`` offers to remove the check."""
        return self._check_page("check.html", check, may_remove)

    def card(self, check: Check, *, may_remove: bool) -> web.Response:
        """The card of one check, for a page that is already there."""
        return self._check_page("_card.html", check, may_remove)

    def reference(self, document: dict[str, Any]) -> web.Response:
        """The API for readers."""
        return self._page("reference.html", doc=document)

    def error(self, error: UnmaskError) -> web.Response:
        """The page of an error."""
        return self._page("error.html", error.status, error=error)

    def _check_page(self, template: str, check: Check, may_remove: bool) -> web.Response:
        card = _card(check.report)
        return self._page(
            template, check=check, report=check.report, card=card, may_remove=may_remove
        )

    def _page(self, template: str, status: int = 200, **values: Any) -> web.Response:
        text = self._env.get_template(template).render(values)
        return web.Response(text=text, status=status, content_type="text/html")


PAGES = web.AppKey("pages", Pages)


def _card(report: Report | None) -> dict[str, Any]:
    """Sizes that the drawing over the picture needs, in the picture's pixels; and whether the
    picture is so wide that the results read better below it than beside it."""
    if report is None:
        return {}
    size = report.image
    label = max(size.width, size.height) / 32
    wide = size.width > WIDE * size.height
    return {"label": round(label, 1), "pad": round(label * 0.35, 1), "wide": wide}


def _with_code(text: str) -> Markup:
    """Text of the API's description, its `names` in backticks set as code."""
    parts = str(escape(text)).split("`")
    wrapped = [f"<code>{part}</code>" if odd % 2 else part for odd, part in enumerate(parts)]
    return Markup("".join(wrapped))  # noqa: S704 - escaped above


def _fingerprint(folder: Path) -> str:
    """Changes whenever a static file does, so that no page meets the files of another version."""
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:10]
