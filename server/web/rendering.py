"""Renders the pages: templates in, answers out. A card shows one check, wherever it stands."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from desk.accounts.sessions import Membership
from server.context import LANGUAGE
from server.model import PublicModel
from server.web.language import PARAMETER
from server.web.texts import STATES, script_texts, texts_in
from unmask.errors import UnmaskError
from unmask.evidence.reverse import ENGINES
from unmask.findings import Kind, Layer
from unmask.i18n import DEFAULT, LANGUAGES, Texts
from unmask.report import Check, Report, Verdict, shown_percent
from unmask.settings import Settings
from unmask.wording import evidence, kinds, layers, reports
from unmask.wording.errors import error_message
from unmask.wording.units import duration, megabytes

HERE = Path(__file__).parent
#: Width over height above which a picture gets the whole width of its card.
WIDE = 1.6


@dataclass(frozen=True)
class Offers:
    """What the card of a check offers to who looks at it; ``teams`` are those to send it to."""

    may_remove: bool = False
    may_read_metadata: bool = False
    teams: tuple[Membership, ...] = ()


class View(NamedTuple):
    """How a page is shown: in which language, and at which relative address its start page lies. A
    proxy may show the server under a path that only the proxy knows. ``query`` is that of the page,
    without a language; links to the page in another language keep it."""

    language: str
    root: str = "./"
    query: str = ""


def root_of(request: web.Request) -> str:
    """The relative address of the start page, seen from a request's."""
    above = request.rel_url.raw_path.count("/") - 1
    return "../" * above or "./"


def view_of(request: web.Request) -> View:
    """How the page that answers a request is shown."""
    query = [pair for pair in request.query.items() if pair[0] != PARAMETER]
    return View(request[LANGUAGE], root_of(request), urlencode(query))


class Pages:
    """All pages of one server, each for the view that its first argument names."""

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
        self._env.filters["time"] = lambda moment: moment.strftime("%Y-%m-%d %H:%M UTC")
        self._env.globals.update(
            model=model,
            max_bytes=settings.max_bytes,
            max_megabytes=megabytes(settings.max_bytes),
            version=_fingerprint(HERE / "static"),
            languages=LANGUAGES,
            Verdict=Verdict,
            shown_verdict=evidence.shown_verdict,
            map_url=evidence.map_url,
            engines=ENGINES,
            layers=tuple(Layer),
            Kind=Kind,
            nothing_told=evidence.NOTHING_TOLD,
        )
        self._words = {language: _words(texts_in(language), settings) for language in LANGUAGES}

    def home(
        self,
        view: View,
        *,
        signed_in: bool,
        locked: bool,
        wrong_key: bool = False,
        may_remove: bool = False,
    ) -> web.Response:
        """The page to drop photos on; ``locked`` asks for a key first."""
        return self._page(
            view,
            "home.html",
            401 if wrong_key else 200,
            signed_in=signed_in,
            locked=locked,
            wrong_key=wrong_key,
            may_remove=may_remove,
        )

    def check(self, view: View, check: Check, offers: Offers) -> web.Response:
        """The page of one check, to share."""
        return self._check_page(view, "check.html", check, offers)

    def card(self, view: View, check: Check, offers: Offers) -> web.Response:
        """The card of one check, for a page that is already there."""
        return self._check_page(view, "_card.html", check, offers)

    def metadata(
        self, view: View, metadata: dict[str, Any], back: str, *, of_case: bool = False
    ) -> web.Response:
        """All metadata of a file; ``back`` is the address of its check, or of its case."""
        values: dict[str, Any] = {"metadata": metadata, "back": back, "of_case": of_case}
        response = self._page(view, "metadata.html", **values)
        response.headers["Cache-Control"] = "no-store"
        return response

    def reference(self, view: View, document: dict[str, Any]) -> web.Response:
        """The API for readers; what it says of the API itself is English."""
        return self._page(view, "reference.html", doc=document)

    def error(self, view: View, error: UnmaskError) -> web.Response:
        """The page of an error."""
        values = {"error": error.as_json()["error"], "http_status": error.status}
        return self._page(view, "error.html", error.status, **values)

    def _check_page(self, view: View, template: str, check: Check, offers: Offers) -> web.Response:
        values = {"check": check, "report": check.report, "card": _card(check.report)}
        return self._page(view, template, 200, **values, **vars(offers))

    def render(self, view: View, template: str, status: int, **values: Any) -> web.Response:
        """A page of another module's, whose template gets ``values``."""
        return self._page(view, template, status, **values)

    def _page(self, view: View, template: str, status: int = 200, **values: Any) -> web.Response:
        text = self._env.get_template(template).render(
            self._words[view.language] | values, root=view.root, kept_query=view.query
        )
        headers = {"Content-Language": view.language}
        return web.Response(text=text, status=status, content_type="text/html", headers=headers)


PAGES = web.AppKey("pages", Pages)


def _words(texts: Texts, settings: Settings) -> dict[str, Any]:
    """What templates say in a language: texts, and what they make of verdicts and numbers."""

    def markup(message: str, **values: Markup) -> Markup:
        """The translation of a text, with marked-up values filled in."""
        return Markup(escape(texts.template(message))).format(**values)  # noqa: S704 - escaped

    return {
        "language": texts.language,
        "gettext": texts.gettext,
        "ngettext": texts.ngettext,
        "markup": markup,
        "kept": duration(texts, settings.retention),
        "verdict_text": lambda verdict: texts.gettext(reports.VERDICTS[verdict]),
        "caveat": lambda verdict: texts.gettext(reports.CAVEATS[verdict]),
        "state_text": lambda state: texts.gettext(STATES[state]),
        "statement": lambda report: evidence.report_statement(texts, report),
        "headline": lambda report: evidence.headline(texts, report),
        "evidence_text": lambda finding: evidence.evidence_sentence(texts, finding),
        "weight_text": lambda weight: texts.gettext(evidence.WEIGHTS[weight]),
        "kind_text": lambda kind: kinds.about(texts, kind),
        "layer_text": lambda layer: layers.about_layer(texts, layer),
        "reasons": lambda face: reports.reasons(texts, face),
        "warnings": lambda report: reports.warning_sentences(texts, report),
        "error_text": lambda error: error_message(texts, error),
        "count": lambda number: _count(texts.language, number),
        "script_texts": script_texts(texts, settings.max_bytes),
    }


def _count(language: str, number: int) -> str:
    """A whole number with its thousands apart: by commas in English, else by narrow blanks, as the
    International System of Units has it."""
    return f"{number:,}" if language == DEFAULT else f"{number:,}".replace(",", "\u202f")


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
