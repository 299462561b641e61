"""The public report on paper: it says what the page says."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from desk.cases import PublicReport
from desk.cases.publishing import Correction
from desk.vocabulary import Confidence, HumanVerdict
from server.web.desk.public_pdf import public_report_pdf
from server.web.paper import Paper
from server.web.texts import texts_in
from unmask.i18n import LANGUAGES

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
ADDRESS = "https://desk.example.org/r/aaaaaaaaaaaaaaaaaaaaaa"


def report(**changed: Any) -> PublicReport:
    values: dict[str, Any] = {
        "slug": "a" * 22,
        "version": 2,
        "team": "The fact desk",
        "locale": "en",
        "title": "No, the captain did not wear this face",
        "claim": "The captain in 1992",
        "summary": "The face was exchanged.",
        "verdict": HumanVerdict.MANIPULATED,
        "confidence": Confidence.HIGH,
        "reasoning": "The archive shows another face.",
        "evidence_links": ("https://archive.example.org/1992",),
        "by_second": True,
        "decided_at": NOON,
        "published_at": NOON,
        "first_published_at": NOON,
        "machine_verdict": "fake",
        "fake_probability": 0.97,
        "model_version": "0.2.0",
        "appearances": ("https://news.example.org/story",),
        "picture": "key",
        "corrections": (Correction(version=2, at=NOON, note="The year was wrong."),),
    }
    return PublicReport(**values | changed)


def jpeg() -> bytes:
    out = BytesIO()
    Image.new("RGB", (40, 60), (90, 60, 30)).save(out, "JPEG")
    return out.getvalue()


def said(monkeypatch: pytest.MonkeyPatch, shown: PublicReport) -> list[str]:
    texts: list[str] = []
    monkeypatch.setattr(Paper, "say", lambda _, text, *__, **___: texts.append(text))
    public_report_pdf(texts_in("en"), shown, ADDRESS, None)
    return texts


def test_it_says_what_the_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = report()
    texts = "\n".join(said(monkeypatch, shown))
    for field in ("team", "title", "claim", "summary", "reasoning"):
        assert getattr(shown, field) in texts
    for text in (*shown.evidence_links, *shown.appearances, ADDRESS, "two people agree"):
        assert text in texts
    assert "\nManipulated\n" in texts and "2026-11-26 12:00 UTC: The year was wrong." in texts
    assert "under review" not in texts
    again = said(monkeypatch, report(under_review=True))
    assert "This verdict is under review." in again


def test_a_withdrawn_report_says_that_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = "\n".join(said(monkeypatch, report(withdrawn_at=NOON)))
    assert "This report was withdrawn" in texts and "The year was wrong." in texts
    for hidden in ("captain", "archive", "Manipulated", "97 %"):
        assert hidden not in texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_drawn_in_each_language_with_texts_of_any(language: str) -> None:
    title = "यह चेहरा असली नहीं है"
    pdf = public_report_pdf(texts_in(language), report(title=title, team="సత్యం"), ADDRESS, jpeg())
    assert pdf.startswith(b"%PDF") and f"/Lang ({language})".encode() in pdf
    assert b"NotoSansDevanagari" in pdf and b"NotoSansTelugu" in pdf and b"/Alt " in pdf
    assert b"+NotoSans" in pdf and b"Helvetica" not in pdf


def test_letters_that_no_font_has_are_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not [text for text in said(monkeypatch, report()) if "lacks letters" in text]
    assert [text for text in said(monkeypatch, report(claim="火星")) if "lacks letters" in text]


def test_a_long_report_has_as_many_pages_as_it_needs() -> None:
    links = tuple(f"https://news.example.org/{'long-' * 60}{number}" for number in range(40))
    long = report(reasoning="The archive shows another face. " * 400, appearances=links)
    pdf = public_report_pdf(texts_in("en"), long, ADDRESS, None)
    assert pdf.count(b"/Type /Page\n") >= 5
