"""What people read, and in which language."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from fontTools.ttLib import TTFont

from scripts.catalogues import catalogues, read
from server.model import public_model
from server.web.language import COOKIE, accepted_language, language_wanted
from server.web.pdf import report_pdf
from server.web.rendering import Offers, Pages, View
from server.web.texts import SCRIPT_TEXTS, texts_in
from tests.server.server_process import Service, blank, client_of, photo
from tests.server.web.test_pages import a_check, a_report
from unmask.errors import ERROR_CODES, UnmaskError
from unmask.fonts import font_file
from unmask.i18n import LANGUAGES
from unmask.report import Model, State, UnsureReason
from unmask.warning_codes import warn

OTHERS = sorted(set(LANGUAGES) - {"en"})
STATIC = Path(__file__).parents[3] / "server" / "web" / "static"


@pytest.mark.anyio
async def test_the_page_tells_a_small_limit(service: Service) -> None:
    async with client_of(service, max_bytes=250_000) as client:
        assert "up to 0.25 MB" in await (await client.get("/")).text()


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("ja, fr;q=0.3, te;q=0.7", "te"),
        ("en;q=0.5, hi", "hi"),
        ("de;q=0, es;q=0.1", "es"),
        ("pl, *;q=0.5", "en"),
        ("de;q=x, fr", "fr"),
        ("", "en"),
        (",".join(["xx"] * 30 + ["de"]), "en"),
    ],
)
def test_the_language_that_a_browser_prefers(header: str, language: str) -> None:
    assert accepted_language(header) == language


@pytest.mark.parametrize(
    ("query", "cookie", "language"),
    [("?lang=fr", "de", "fr"), ("", "de", "de"), ("?lang=xx", "yy", "hi"), ("", "", "hi")],
)
def test_a_choice_goes_before_what_the_browser_prefers(
    query: str, cookie: str, language: str
) -> None:
    headers = {"Accept-Language": "hi", "Cookie": f"{COOKIE}={cookie}"}
    assert language_wanted(make_mocked_request("GET", "/" + query, headers)) == language


@pytest.mark.anyio
async def test_a_choice_is_kept(service: Service) -> None:
    async with client_of(service) as client:
        answer = await client.get("/?lang=de")
        assert COOKIE in answer.cookies and '<html lang="de">' in await answer.text()
        assert "Accept-Language" in ",".join(answer.headers.getall("Vary"))
        again = await client.get("/", headers={"Accept-Language": "fr"})
        assert again.headers["Content-Language"] == "de" and COOKIE not in again.cookies
        assert "Ist dieses Gesicht gefälscht?" in await again.text()
        missing = await client.get("/nowhere", headers={"Accept": "text/html"})
        assert missing.status == 404 and "Hier ist nichts" in await missing.text()
        assert COOKIE not in (await client.get("/?lang=xx")).cookies


@pytest.mark.anyio
@pytest.mark.parametrize("language", OTHERS)
async def test_a_check_is_shown_in_the_readers_language(service: Service, language: str) -> None:
    async with client_of(service) as client:
        answer = await client.post("/v1/checks?wait=60", data=blank())
        check = (await answer.json())["id"]
        page = await (await client.get(f"/c/{check}?lang={language}")).text()
        assert texts_in(language).gettext("No face found") in page
        assert "No face" not in page and "What this does not mean" not in page
        card = await (await client.get(f"/c/{check}/card")).text()
        assert texts_in(language).gettext("Copy link") in card
        pdf = await client.get(f"/v1/checks/{check}/report.pdf")
        assert pdf.headers["Content-Language"] == language
        report = await (await client.get(f"/v1/checks/{check}")).json()
        assert report["report"]["statement"].startswith("No face was found")


def pages_of(service: Service) -> Pages:
    settings = service.settings()
    return Pages(settings, public_model(settings))


def block_of(page: str) -> dict[str, dict[str, str]]:
    found = re.search(r'<script type="application/json" id="texts">(.*?)</script>', page, re.DOTALL)
    assert found
    texts: dict[str, dict[str, str]] = json.loads(found[1])
    return texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_scripts_find_their_texts(service: Service, language: str) -> None:
    page = pages_of(service).home(View(language), signed_in=False, locked=False).text or ""
    block = block_of(page)
    used = set()
    for script in STATIC.glob("*.js"):
        used |= set(re.findall(r'\btext\("(\w+)"', script.read_text()))
    assert used == set(SCRIPT_TEXTS) == set(block["texts"])
    assert (set(ERROR_CODES) <= set(block["errors"])) is (language != "en")
    assert not any("{limit}" in sentence for sentence in block["errors"].values())


@pytest.mark.parametrize("language", OTHERS)
def test_an_error_is_told_in_the_readers_language(service: Service, language: str) -> None:
    pages, error = pages_of(service), UnmaskError("damaged", "A sentence in English.")
    page = pages.error(View(language), error).text or ""
    assert error.message not in page and "damaged" in page
    failed = a_check(a_report(Model(name="x", version="1", sha256="0" * 64), None))
    update = {"state": State.FAILED, "report": None, "error": error.as_json()["error"]}
    card = (
        pages.card(View(language), failed.model_copy(update=update), Offers(may_remove=True)).text
        or ""
    )
    assert error.message not in card and "damaged" in card
    assert error.message in (pages.error(View("en"), error).text or "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_pdf_in_each_language(service: Service, portrait: Any, language: str) -> None:
    report = a_report(Model(name="colour", version="0.0.1", sha256="a" * 64), None)
    unsure = report.faces[0].model_copy(update={"reasons": (UnsureReason.TOO_SMALL,)})
    update = {"faces": (unsure,), "warning_codes": (warn("first_page", number=3),)}
    picture = photo(portrait)
    pdf = report_pdf(
        texts_in(language),
        a_check(report),
        report.model_copy(update=update),
        picture,
        [picture, None],
    )
    assert pdf.startswith(b"%PDF") and f"/Lang ({language})".encode() in pdf
    script = {"hi": b"NotoSansDevanagari", "te": b"NotoSansTelugu"}.get(language, b"+NotoSans")
    assert script in pdf and b"Helvetica" not in pdf


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_fonts_have_every_character_of_the_texts(language: str, bold: bool) -> None:
    known = set(TTFont(font_file(language, bold=bold)).getBestCmap())
    for room, other in catalogues():
        if other == language and room != "bot":
            for message in read(room, language):
                text = "".join(message.string)
                assert {*map(ord, text)} - {10} <= known, text
    assert set(map(ord, "Unmask 0123456789 %.,:()“”…")) <= known


@pytest.mark.anyio
async def test_the_picture_is_drawn_in_the_language_of_the_check(
    service: Service, portrait: Any
) -> None:
    data, drawn = photo(portrait), {}
    async with client_of(service) as client:
        for query, headers in (
            ("", {}),
            ("&language=de", {}),
            ("", {"Accept-Language": "de-DE"}),
            ("&language=te", {"Accept-Language": "de"}),
        ):
            answer = await client.post(f"/v1/checks?wait=60{query}", data=data, headers=headers)
            check = await answer.json()
            picture = await client.get(f"/v1/checks/{check['id']}/annotated.jpg")
            drawn.setdefault(check["language"], set()).add(await picture.read())
        refused = await client.post("/v1/checks?language=xx", data=data)
        assert refused.status == 400
    assert [len(drawn[language]) for language in ("en", "de", "te")] == [1, 1, 1]
    assert len(set.union(*drawn.values())) == 3
