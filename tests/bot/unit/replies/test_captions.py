"""Captions say all that they must and stay within Telegram's limits, in every language."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.i18n import LANGUAGES, words
from bot.replies import captions
from bot.replies.captions import CAPTION_LIMIT, TEXT_LIMIT, Shown, length
from bot.replies.messages import CAVEATS, VERDICTS, verdict_sentence
from bot.state.reply_queue import Item, Kind, Note, Origin
from tests.bot.unit.reports import face, report
from unmask.report import Report, Verdict, shown_percent, statement

WHEN = datetime(2026, 11, 23, 7, 5, tzinfo=UTC)
VERY_LONG = Origin(name="\U0001f977" * 60, date=WHEN)


def item(**about: object) -> Item:
    return Item.model_validate({"kind": Kind.PHOTO, "message": 1} | about)


def crowd(count: int) -> Report:
    kinds = [Verdict.FAKE, Verdict.UNSURE, Verdict.REAL]
    faces = (face(kinds[at % 3], 0.99 - at / 100) for at in range(count))
    return report(*faces, warnings=("Only the first of 12 frames was examined.",))


def check_complete(language: str, text: str, found: Report) -> None:
    said = words(language)
    head, _, rest = text.partition("\n")
    assert length(text) <= CAPTION_LIMIT
    assert said.say(VERDICTS[found.verdict]) in head
    for part in (
        verdict_sentence(said, found.verdict, found.fake_probability, len(found.faces)),
        said.say(CAVEATS[found.verdict]),
        "unmask-densenet121 10.20.30",
    ):
        assert part in rest


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("count", [1, 2, 7, 32])
def test_all_that_can_be_said_of_a_picture(language: str, count: int) -> None:
    sent, found = item(earlier=WHEN, alike=True, notes=list(Note)), crowd(count)
    caption = captions.single(words(language), Shown(sent, found), VERY_LONG, hint=True, twice=True)
    check_complete(language, caption.text, found)
    assert "2026-11-23 07:05 UTC" in caption.text


def test_a_near_duplicates_own_file_and_the_faces_of_both_are_spoken_of() -> None:
    crowded = "Only the 32 largest of 45 faces were examined."
    frames = "Only the first of 12 frames was examined."
    earlier = report(face(Verdict.REAL), warnings=(frames, crowded))
    sent = item(earlier=WHEN, alike=True, warnings=["Only the first of 3 frames was examined."])
    text = captions.single(words("en"), Shown(sent, earlier), None).text
    assert crowded in text and "first of 3 pictures" in text and "of 12" not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_what_is_usual_is_said_in_full(language: str, count: int) -> None:
    sent, found = item(notes=[Note.FIRST_FRAME]), crowd(count)
    origin = Origin(name="A channel of forty characters or a bit le", date=WHEN)
    text = captions.single(words(language), Shown(sent, found), origin).text
    check_complete(language, text, found)
    assert origin.name in text and "12" in text
    assert sum(f"{shown_percent(face.fake_probability)} %" in text for face in found.faces) == count


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_32_faces_all_are_listed_or_counted(language: str) -> None:
    said, found = words(language), crowd(32)
    text = captions.single(said, Shown(item(), found), None).text
    lines = text.split("\n\n")[1].splitlines()
    numbered = [line for line in lines if _number(said.language, line)]
    rest = 32 - len(numbered)
    assert len(numbered) >= 8
    if rest:
        assert len(lines) == len(numbered) + 1 and str(rest) in lines[-1]
    listed = {int(_number(language, line)) - 1 for line in numbered}
    suspects = {at for at, each in enumerate(found.faces) if each.verdict is Verdict.FAKE}
    assert suspects <= listed or listed <= suspects, "the most suspicious come first"
    for at in listed:
        assert f"{shown_percent(found.faces[at].fake_probability)} %" in text


def _number(language: str, line: str) -> str:
    before = (
        words(language)
        .say("Face {number}: {verdict}, fake {percent} %", number="#", verdict="", percent="")
        .partition("#")[0]
    )
    digits = line.removeprefix(before)
    return (
        digits[: len(digits) - len(digits.lstrip("0123456789"))] if line.startswith(before) else ""
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_album_of_ten(language: str) -> None:
    said = words(language)
    errors = [Shown(item(), error={"code": "unsupported_format"}) for _ in range(4)]
    alike = item(earlier=WHEN, alike=True)
    shown = [*(Shown(alike, crowd(32)) for _ in range(6)), *errors]
    caption = captions.album(said, shown, VERY_LONG, skipped=3, twice=True)
    assert length(caption.text) <= CAPTION_LIMIT
    assert all(f"\n{number}. " in caption.text for number in range(1, 11))
    assert "unmask-densenet121 10.20.30" in caption.text
    assert length(captions.failures(said, errors * 3, 2).text) <= TEXT_LIMIT


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("probability", [0.0, 0.3, 0.5, 0.87, 1.0])
def test_in_english_the_sentence_is_that_of_every_door(
    verdict: Verdict, count: int, probability: float
) -> None:
    chance = None if verdict is Verdict.NO_FACE else probability
    assert verdict_sentence(words("en"), verdict, chance, count) == statement(
        verdict, chance, count
    )


def test_what_stands_out_is_the_first_line_in_utf_16() -> None:
    caption = captions.single(words("en"), Shown(item(), report()), None)
    head = caption.text.partition("\n")[0]
    assert caption.entities[0].length == len(head.encode("utf-16-le")) // 2


def test_the_hint_gives_way_before_anything_else() -> None:
    said = words("te")
    short = captions.single(said, Shown(item(), report(face(Verdict.REAL))), None, hint=True)
    long = captions.single(said, Shown(item(notes=list(Note)), crowd(32)), VERY_LONG, hint=True)
    assert "💡" in short.text and "💡" not in long.text


def test_a_cut_leaves_whole_characters() -> None:
    for limit in range(3, 12):
        cut = captions._cut("\U0001f977" * 9, limit)
        assert length(cut) <= limit and cut.endswith("…")
        cut.encode("utf-8")
