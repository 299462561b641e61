"""Pictures by many makers' kinds, at the doors where people meet a report."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from bot.replies.captions import PictureResult, single
from bot.replies.messages import MARKS
from bot.state.reply_queue import Item, Kind, SentPicture
from server.model import public_model
from server.web.pdf import report_pdf
from server.web.rendering import Offers, Pages, View
from server.web.texts import texts_in as page_texts
from tests.pictures import encoded, photo
from tests.unmask.evidence.files import marked
from tests.unmask.evidence.signing import authority, signed, signer
from tests.unmask.evidence.signs import with_colour_bar, with_star
from tests.unmask.test_report import face, full_report
from unmask.cli import show
from unmask.detector.annotate import annotate
from unmask.evidence.collect import Collector
from unmask.evidence.credentials.reader import CredentialsReader
from unmask.i18n import texts_in
from unmask.images import open_picture
from unmask.report import Check, Door, Report, State, Verdict
from unmask.settings import Settings
from unmask.wording.evidence import with_evidence
from unmask.wording.reports import english_statement

PARAMETERS = "a face\nNegative prompt: fog\nSteps: 20, Sampler: Euler a, Seed: 1"
UUID = "123e4567-e89b-12d3-a456-426614174000"
#: For each maker a format, its fields, and the name that a reader is to see.
MAKERS = {
    "google": ("PNG", {"XMP-photoshop:Credit": "Made with Google AI"}, "Google"),
    "stable diffusion": ("PNG", {"PNG:parameters": PARAMETERS}, "Stable Diffusion"),
    "webp of forge": ("WEBP", {"EXIF:UserComment": PARAMETERS}, "Stable Diffusion"),
    "comfyui": ("PNG", {"PNG:prompt": '{"3": {"class_type": "KSampler"}}'}, "ComfyUI"),
    "novelai": ("PNG", {"PNG:Software": "NovelAI"}, "NovelAI"),
    "midjourney": ("JPEG", {"XMP-dc:description": f"x --v 7 Job ID: {UUID}"}, "Midjourney"),
    "xai": (
        "JPEG",
        {"EXIF:ImageDescription": "Signature: " + "QUJD" * 12, "EXIF:Artist": UUID},
        "xAI",
    ),
    "dall-e": ("JPEG", {"EXIF:Software": "DALL-E 3"}, "OpenAI"),
    "flux": ("AVIF", {"XMP-xmp:CreatorTool": "FLUX.1 [dev]"}, "Black Forest Labs"),
    "china": ("PNG", {"XMP-TC260:AIGC": '{"Label": "1"}'}, "an AI model"),
    "iptc": (
        "HEIF",
        {"XMP-iptcExt:DigitalSourceType": "http://x/trainedAlgorithmicMedia"},
        "an AI model",
    ),
    "signed": ("JPEG", {}, "gpt-image, OpenAI"),
    "star": ("JPEG", {}, "Google"),
    "colour bar": ("WEBP", {}, "OpenAI"),
}
SIGNS = {"star": partial(with_star, side=40), "colour bar": with_colour_bar}


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    path = tmp_path_factory.mktemp("trust") / "list.pem"
    path.write_bytes(authority().pem)
    collector = Collector(CredentialsReader(path))
    yield collector
    collector.close()


@pytest.fixture(scope="module", params=MAKERS)
def told(request: pytest.FixtureRequest, collector: Collector) -> tuple[Report, str]:
    """The report on a clean face in a picture of one maker, and whom it must name."""
    kind, fields, name = MAKERS[request.param]
    data = marked(kind, fields)
    if request.param == "signed":
        data = signed(data, kind, signer("OpenAI", authority()), agent="gpt-image")
    if request.param in SIGNS:
        data = encoded(Image.fromarray(SIGNS[request.param](np.asarray(photo(640, 480)))), kind)
    faces = (face(Verdict.REAL, 0.02),)
    clean = full_report().model_copy(
        update={
            "verdict": Verdict.REAL,
            "faces": faces,
            "fake_probability": 0.02,
            "statement": english_statement(faces),
            "evidence": (),
        }
    )
    picture = open_picture(data, Settings())
    collected = collector.look(collector.collect(picture), picture.pixels)
    return with_evidence(clean, collected.evidence), name


def check_of(report: Report) -> Check:
    now = datetime.now(UTC)
    return Check(
        id="0" * 32,
        sha256=report.sha256,
        door=Door.WEB,
        state=State.DONE,
        created=now,
        expires=now + timedelta(days=1),
        model_version="1",
        report=report,
    )


def test_json(told: tuple[Report, str]) -> None:
    report, name = told
    shown = json.loads(report.model_dump_json())
    assert (shown["verdict"], shown["evidence_says"]) == ("real", "generated")
    assert f"was made by {name} (" in shown["statement"]


def test_page(told: tuple[Report, str]) -> None:
    report, name = told
    card = Pages(Settings(), public_model(Settings())).card(View("en"), check_of(report), Offers())
    text = card.text or ""
    assert f"was made by {name} (" in text
    assert "says the file</h2>" in text and "card v-real" not in text


def test_paper(told: tuple[Report, str]) -> None:
    report, _ = told
    picture = BytesIO()
    Image.new("RGB", (report.image.width, report.image.height)).save(picture, "JPEG")
    paper = report_pdf(page_texts("en"), check_of(report), report, picture.getvalue(), [])
    assert paper.startswith(b"%PDF-")


def test_bot(told: tuple[Report, str]) -> None:
    report, name = told
    item = Item(sent=SentPicture(kind=Kind.PHOTO, message=1))
    text = single(texts_in("en"), PictureResult(item, report), None).text
    assert f"was made by {name} (" in text
    assert MARKS[Verdict.REAL] not in text.partition("\n")[0]


def test_command(told: tuple[Report, str]) -> None:
    report, name = told
    out = io.StringIO()
    show._print_report(Console(file=out, soft_wrap=True), "a.jpg", report, texts_in("en"))
    assert f"was made by {name} (" in out.getvalue()


def test_annotated_picture(told: tuple[Report, str], tmp_path: Path) -> None:
    report, _ = told
    size = report.image
    pixels = np.full((size.height, size.width, 3), 120, np.uint8)
    mask = np.zeros(pixels.shape[:2], np.uint8)
    silent = report.model_copy(update={"evidence": ()})
    assert (annotate(pixels, report, mask) != annotate(pixels, silent, mask)).any()
