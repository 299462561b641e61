"""Every way to send a picture in a private chat: the right picture and caption come back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from bot.i18n import texts_in
from bot.replies.refusals import REFUSALS, Refused
from tests import pictures
from tests.bot.bot_process import QueueProbe
from tests.bot.conftest import Site
from tests.bot.image_asserts import (
    Pixels,
    ReferenceDetector,
    as_file,
    decoded,
    faceless,
    genuine,
    smoothed,
    tampered,
)
from tests.bot.telegram import Message, Person, Telegram
from tests.bot.telegram.video import mp4
from unmask.i18n import LANGUAGES
from unmask.report import Report, Verdict, shown_percent

pytestmark = pytest.mark.anyio
VERDICTS = {
    Verdict.FAKE: "Signs of manipulation",
    Verdict.UNSURE: "Unsure",
    Verdict.REAL: "No sign of manipulation",
    Verdict.NO_FACE: "No face found",
}
CAVEATS = {
    Verdict.FAKE: "no proof of forgery",
    Verdict.UNSURE: "neither a yes nor a no",
    Verdict.REAL: "does not prove that the picture is genuine",
    Verdict.NO_FACE: "says nothing about the picture",
}
BUTTONS = ("Mask", "Heatmap", "Original size", "Full report", "Wrong verdict?", "Delete my data")


def check_caption(answer: Message, report: Report) -> None:
    """Fail unless the caption has the verdict, each face, the caveat and the model."""
    first, _, rest = answer.text.partition("\n")
    assert VERDICTS[report.verdict] in first
    assert CAVEATS[report.verdict] in rest
    assert report.model.name in rest and report.model.version in rest
    for face in report.faces:
        assert f"fake {shown_percent(face.fake_probability)} %" in rest


def showed_activity(telegram: Telegram, message: Message, before: str = "sendPhoto") -> bool:
    """Whether the bot reacted to a message before it answered."""
    chat = str(message.chat.id)
    calls = [call for call in telegram.calls if call.params.get("chat_id") == chat]
    signs = [c.number for c in calls if c.method in ("setMessageReaction", "sendChatAction")]
    answers = [c.number for c in calls if c.method == before]
    return bool(signs) and bool(answers) and signs[0] < answers[0]


async def test_a_photo(
    ada: Person, telegram: Telegram, detector: ReferenceDetector, portrait: Pixels
) -> None:
    sent = await ada.sends_photo(as_file(tampered(portrait)), "is she real?")
    answer = await ada.answer()
    assert answer.kind == "photo" and answer.reply_to is sent
    examination = detector.check_annotated(answer.data, sent.data)
    assert examination.mask().any(), "this picture was made to have a mask"
    check_caption(answer, examination.report)
    assert showed_activity(telegram, sent)
    assert [button["text"] for button in answer.buttons] == list(BUTTONS)
    plain = np.abs(decoded(answer.data).astype(int) - decoded(sent.data)).mean()
    assert plain > 1, "nothing was drawn"


async def test_a_file_is_examined_as_it_is(
    ada: Person, detector: ReferenceDetector, portrait: Pixels
) -> None:
    data = as_file(tampered(portrait), "PNG")
    sent = await ada.sends_file(data, "evidence.png")
    answer = await ada.answer()
    assert answer.reply_to is sent and "as a file" not in answer.text
    check_caption(answer, detector.check_annotated(answer.data, data).report)


async def test_the_hint_about_files_comes_once(ada: Person, portrait: Pixels) -> None:
    texts = []
    for _ in range(3):
        await ada.sends_photo(as_file(genuine(portrait)))
        texts.append((await ada.answer()).text)
    assert ["as a file" in text for text in texts] == [True, False, False]


async def test_several_faces_have_a_line_each(
    ada: Person, detector: ReferenceDetector, portrait: Pixels
) -> None:
    both = np.concatenate([genuine(portrait), tampered(portrait)], axis=1)
    data = as_file(both)
    await ada.sends_file(data)
    answer = await ada.answer()
    report = detector.check_annotated(answer.data, data).report
    assert len(report.faces) == 2
    check_caption(answer, report)
    for number in (1, 2):
        assert f"Face {number}:" in answer.text
    assert ("At least one of the 2 faces" in answer.text) is (report.verdict is Verdict.FAKE)


@pytest.mark.parametrize("language", ["en", "te"])
async def test_a_crowd_fits_the_caption(
    new_person: Callable[..., Person], portrait: Pixels, language: str
) -> None:
    ada = new_person("A" * 64, language)
    face = Image.fromarray(genuine(portrait)[0:230, 120:330])
    row = np.concatenate([np.asarray(face)] * 6, axis=1)
    sent = await ada.sends_file(as_file(np.concatenate([row] * 5, axis=0)))
    for _ in range(2):
        answer = await ada.answer()
        assert answer.kind == "photo" and answer.text.count(" %") > 5
        if answer.reply_to is sent:
            await ada.forwards(sent)


async def test_no_face(ada: Person, detector: ReferenceDetector) -> None:
    data = as_file(faceless())
    await ada.sends_file(data)
    answer = await ada.answer()
    check_caption(answer, detector.check_annotated(answer.data, data).report)


@pytest.mark.parametrize("files", [False, True])
async def test_an_album_has_one_answer(
    ada: Person, detector: ReferenceDetector, portrait: Pixels, files: bool
) -> None:
    made = [as_file(tampered(portrait)), as_file(genuine(portrait)), as_file(faceless())]
    sent = await ada.sends_album(made, files=files, caption="which?")
    *photos, buttons = await ada.answers(4)
    assert len({answer.content["media_group_id"] for answer in photos}) == 1
    assert photos[0].reply_to in sent
    reports = [
        detector.check_annotated(answer.data, one.data).report
        for answer, one in zip(photos, sent, strict=True)
    ]
    text = photos[0].text
    assert not photos[1].text and not photos[2].text
    lines = [line for line in text.splitlines() if line[:2] in ("1.", "2.", "3.")]
    for line, report in zip(lines, reports, strict=True):
        assert VERDICTS[report.verdict] in line
        if report.fake_probability is not None:
            assert f"fake {shown_percent(report.fake_probability)} %" in line
    assert reports[0].model.version in text
    assert [button["text"] for button in buttons.buttons] == ["1", "2", "3"]


async def test_an_album_may_come_in_two_pieces(
    ada: Person, telegram: Telegram, portrait: Pixels
) -> None:
    """The second picture is delivered while the first is processed."""
    album = telegram.new_album()
    for number in range(2):
        await ada.sends_photo(as_file(genuine(portrait)), album=album)
        await telegram.until(lambda: not telegram.updates.pending)
        await asyncio.sleep(0.2 if number == 0 else 0)
    *photos, _ = await ada.answers(3)
    assert [answer.kind for answer in photos] == ["photo"] * 2


async def test_an_album_with_a_file_that_is_not_a_picture(
    ada: Person, detector: ReferenceDetector, portrait: Pixels
) -> None:
    good = [as_file(genuine(portrait)), as_file(tampered(portrait))]
    await ada.sends_album([good[0], b"not a picture", good[1]], files=True)
    first, second, _ = await ada.answers(3)
    detector.check_annotated(first.data, good[0])
    detector.check_annotated(second.data, good[1])
    assert "2. ✖️ This is not a picture." in first.text


async def test_a_sticker(ada: Person, detector: ReferenceDetector, portrait: Pixels) -> None:
    data = as_file(tampered(portrait), "WEBP")
    await ada.sends_sticker(data)
    answer = await ada.answer()
    check_caption(answer, detector.check_annotated(answer.data, data).report)


async def test_an_animated_sticker_is_examined_as_a_preview(ada: Person, portrait: Pixels) -> None:
    await ada.sends_sticker(as_file(genuine(portrait), "WEBP"), animated=True)
    answer = await ada.answer()
    assert answer.kind == "photo" and "small preview" in answer.text
    assert max(decoded(answer.data).shape) == 320


async def test_a_gif_is_examined_in_its_first_frame(
    ada: Person, detector: ReferenceDetector, portrait: Pixels, tmp_path: Any
) -> None:
    frames = [Image.fromarray(frame) for frame in (tampered(portrait), faceless())]
    frames[1] = frames[1].resize(frames[0].size)
    sent = await ada.sends_gif(frames)
    (tmp_path / "a.mp4").write_bytes(sent.data)
    _, first = cv2.VideoCapture(str(tmp_path / "a.mp4")).read()
    answer = await ada.answer()
    examination = detector.check_annotated(answer.data, as_file(first[..., ::-1], "PNG"))
    check_caption(answer, examination.report)
    assert len(examination.report.faces) == 1 and "Only the first frame" in answer.text


async def test_a_gif_that_telegram_did_not_convert(
    ada: Person, detector: ReferenceDetector, portrait: Pixels
) -> None:
    frames = [Image.fromarray(genuine(portrait)), Image.fromarray(tampered(portrait))]
    sent = await ada.sends_gif(frames, kept=True)
    answer = await ada.answer()
    check_caption(answer, detector.check_annotated(answer.data, sent.data).report)
    # both frames are looked at, and the suspicious one counts
    assert "No sign" not in answer.text and "Only the first" not in answer.text


async def test_where_a_forward_came_from(
    ada: Person, new_person: Callable[..., Person], detector: ReferenceDetector, portrait: Pixels
) -> None:
    bob = new_person("Bob\u202e\n\nNot Bob")
    original = await bob.sends_photo(as_file(tampered(portrait)))
    await bob.answer()
    sent = await ada.forwards(original)
    answer = await ada.answer()
    detector.check_annotated(answer.data, original.data)
    assert answer.reply_to is sent
    assert "Forwarded; first posted by Bob Not Bob, 20" in answer.text
    await ada.forwards(original, hidden=True)
    assert "Forwarded; first posted by" in (await ada.answer()).text


async def test_a_url(
    ada: Person, detector: ReferenceDetector, site: Site, portrait: Pixels
) -> None:
    data = as_file(tampered(portrait))
    sent = await ada.says(f"found at {site.publish(data)} yesterday")
    answer = await ada.answer()
    assert answer.reply_to is sent
    check_caption(answer, detector.check_annotated(answer.data, data).report)


async def test_several_urls(
    ada: Person, detector: ReferenceDetector, site: Site, portrait: Pixels
) -> None:
    made = [as_file(genuine(portrait)), as_file(tampered(portrait))]
    await ada.says("\n".join(site.publish(data) for data in made))
    first, second, _ = await ada.answers(3)
    detector.check_annotated(first.data, made[0])
    detector.check_annotated(second.data, made[1])


async def test_too_many_urls(ada: Person, site: Site) -> None:
    await ada.says(" ".join(site.publish(as_file(faceless())) for _ in range(7)))
    first, *_ = await ada.answers(6)
    assert "2 more links were left out" in first.text


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:8080/healthz", "leads to a place that is not opened"),
        ("http://169.254.169.254/latest/meta-data/", "leads to a place that is not opened"),
        ("http://user:pass@example.com/a.jpg", "not a link that can be opened"),
    ],
)
async def test_urls_that_are_refused(ada: Person, url: str, words: str) -> None:
    await ada.says(url)
    assert words in (await ada.answer()).text


async def test_urls_without_a_picture(ada: Person, site: Site) -> None:
    await ada.says(site.publish(b"<html>page</html>", "text/html"))
    assert "leads to a web page" in (await ada.answer()).text
    await ada.says(site.publish(b"gone").replace(".jpg", "x.jpg"))
    assert "did not send a picture" in (await ada.answer()).text


BAD_FILES = {
    "text": (b"This is text, whatever its name says.", "This is not a picture"),
    "bomb": (pictures.claiming("PNG", 25_000, 25_000), "too many pixels"),
    "truncated": (pictures.encoded(pictures.photo(400, 300), "JPEG")[:-4000], "cut short"),
    "archive": (pictures.encoded(pictures.photo(64, 64), "PNG") + pictures.archive(), "at once"),
    "frames": (pictures.many_frames("GIF", 5000), "too many frames"),
    "tiny": (pictures.encoded(pictures.corners(8, 8), "PNG"), "too small"),
    "large": (bytes(21_000_000), "larger than 20 MB"),
    "empty": (b"", "The file is empty"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
async def test_bad_files_get_a_clear_sentence(ada: Person, queue: QueueProbe, kind: str) -> None:
    data, words = BAD_FILES[kind]
    sent = await ada.sends_file(data, "photo.jpg")
    answer = await ada.answer()
    assert answer.kind == "text" and answer.reply_to is sent
    assert words in answer.text and not answer.buttons
    assert "Error" not in answer.text and "_" not in answer.text


async def test_messages_without_a_picture(ada: Person) -> None:
    await ada.sends_file(b"%PDF-1.7", "report.pdf")
    await ada.says("hello")
    await ada.sends_file(b"ID3", "song.mp3")
    await ada.sends_file(mp4([Image.new("RGB", (64, 64))]), "photo.jpg")
    answers = await ada.answers(4)
    assert all(answer.kind == "text" and len(answer.text) > 20 for answer in answers)
    # each answer comes when its file was read, so their order is open
    text = " ".join(answer.text for answer in answers)
    assert "cannot examine videos" in text and "not sound" in text and "not a picture" in text


@pytest.mark.parametrize("name", ["download.jfif", "DSC00017.HIF", "photo.jpg_large", "IMG_2041"])
async def test_a_file_is_taken_by_its_bytes(ada: Person, portrait: Pixels, name: str) -> None:
    await ada.sends_file(as_file(genuine(portrait)), name, mime="application/octet-stream")
    assert (await ada.answer()).kind == "photo"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_telegram_does_not_hand_over(
    new_person: Callable[..., Person], language: str
) -> None:
    person = new_person("Ada", language)
    story = await person.sends({"story": {"chat": person.chat.json, "id": 4}})
    await person.sends_paid_media(None)
    await person.says("?", reply_to=story)
    texts = texts_in(language)
    expected = [Refused.STORY, Refused.LOCKED, Refused.STORY]
    sentences = [texts.gettext(REFUSALS[refusal]) for refusal in expected]
    assert [answer.text for answer in await person.answers(3)] == sentences


async def test_paid_photos(ada: Person, detector: ReferenceDetector, portrait: Pixels) -> None:
    sent = await ada.sends_paid_media(as_file(tampered(portrait)))
    answer = await ada.answer()
    assert answer.reply_to is sent
    check_caption(answer, detector.check_annotated(answer.data, sent.data).report)
    await ada.sends_paid_media(as_file(tampered(portrait)), None)
    answer = await ada.answer()
    assert answer.kind == "photo"
    assert "2. ✖️ Telegram hands over only a preview" in answer.text


async def test_a_question_in_reply_to_a_photo(
    ada: Person, detector: ReferenceDetector, portrait: Pixels
) -> None:
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    first = await ada.answer()
    await ada.says("is this real?", reply_to=sent)
    answer = await ada.answer()
    assert answer.kind == "photo" and answer.reply_to is sent
    check_caption(answer, detector.check_annotated(answer.data, sent.data).report)
    await ada.says("are you sure?", reply_to=first)
    assert "my own answer" in (await ada.answer()).text


async def test_odd_shapes_come_back(ada: Person, detector: ReferenceDetector) -> None:
    """Too narrow for Telegram, and too large."""
    wide = as_file(np.asarray(Image.fromarray(faceless()).resize((2200, 100))))
    await ada.sends_file(wide, "wide.jpg")
    answer = await ada.answer()
    assert answer.kind == "photo" and "Shown smaller" in answer.text
    assert decoded(answer.data).shape[:2] == (110, 2200), "as narrow as Telegram accepts"
    await ada.presses(answer, "Original size")
    detector.check_annotated((await ada.answer()).data, wide)
    huge = as_file(np.asarray(Image.fromarray(faceless()).resize((9600, 640))))
    await ada.sends_file(huge, "huge.jpg")
    answer = await ada.answer()
    assert answer.kind == "photo" and "Shown smaller" in answer.text
    detector.check_annotated(answer.data, huge)


@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "TIFF", "BMP"])
async def test_other_formats(
    ada: Person, detector: ReferenceDetector, portrait: Pixels, kind: str
) -> None:
    data = pictures.encoded(Image.fromarray(genuine(portrait)), kind)
    await ada.sends_file(data, f"photo.{kind.lower()}", mime=f"image/{kind.lower()}")
    answer = await ada.answer()
    check_caption(answer, detector.check_annotated(answer.data, data).report)


async def test_an_edited_message_is_not_a_new_one(
    ada: Person, telegram: Telegram, portrait: Pixels
) -> None:
    sent = await ada.sends_photo(as_file(smoothed(genuine(portrait))))
    await ada.answer()
    await ada.edits(sent, "another caption")
    await telegram.settled()
    assert not ada.unread
