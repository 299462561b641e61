"""Captions are complete and within Telegram's limits, in every language."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.i18n import texts_in
from bot.replies import captions
from bot.replies.captions import CAPTION_LIMIT, TEXT_LIMIT, PictureResult, length
from bot.replies.messages import MARKS
from bot.state.reply_queue import Item, Kind, Note, Origin, Outcome, SentPicture
from bot.team import TeamAnswer
from tests.bot.unit.reports import face, report
from unmask.findings import Evidence, Says, Weight
from unmask.findings import Kind as Kind_
from unmask.i18n import LANGUAGES
from unmask.report import Report, Verdict, shown_percent
from unmask.warning_codes import warn
from unmask.wording.evidence import with_evidence
from unmask.wording.reports import CAVEATS, VERDICTS, statement

WHEN = datetime(2026, 11, 23, 7, 5, tzinfo=UTC)
VERY_LONG = Origin(name="\U0001f977" * 60, date=WHEN)


def item(**outcome: object) -> Item:
    sent = SentPicture(kind=Kind.PHOTO, message=1)
    return Item(sent=sent, outcome=Outcome.model_validate(outcome))


def crowd(count: int) -> Report:
    kinds = [Verdict.FAKE, Verdict.UNSURE, Verdict.REAL]
    faces = (face(kinds[index % 3], 0.99 - index / 100) for index in range(count))
    return report(*faces, warnings=(warn("some_frames", number=12),))


def check_complete(language: str, text: str, result: Report) -> None:
    texts = texts_in(language)
    head, _, rest = text.partition("\n")
    assert length(text) <= CAPTION_LIMIT
    assert texts.gettext(VERDICTS[result.verdict]) in head
    for part in (
        statement(texts, result.faces),
        texts.gettext(CAVEATS[result.verdict]),
        "unmask-densenet121 10.20.30",
    ):
        assert part in rest


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("count", [1, 2, 7, 32])
def test_a_caption_with_all_notes_fits(language: str, count: int) -> None:
    sent, result = item(earlier=WHEN, similar=True, notes=list(Note)), crowd(count)
    caption = captions.single(
        texts_in(language), PictureResult(sent, result), VERY_LONG, hint=True, may_repeat=True
    )
    check_complete(language, caption.text, result)
    assert "2026-11-23 07:05 UTC" in caption.text


def test_warnings_of_a_similar_picture_are_about_the_file_that_was_sent() -> None:
    crowded = warn("faces_left_out", number=32, total=45)
    earlier = report(face(Verdict.REAL), warnings=(warn("some_frames", number=12), crowded))
    sent = item(earlier=WHEN, similar=True, warnings=[warn("some_frames", number=3)])
    text = captions.single(texts_in("en"), PictureResult(sent, earlier), None).text
    assert crowded.english in text and "some of the 3 frames" in text and "12 frames" not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_usual_caption_is_complete(language: str, count: int) -> None:
    sent, result = item(notes=[Note.FIRST_FRAME]), crowd(count)
    origin = Origin(name="A channel of forty characters or a bit le", date=WHEN)
    text = captions.single(texts_in(language), PictureResult(sent, result), origin).text
    check_complete(language, text, result)
    assert origin.name in text and "12" in text
    assert (
        sum(f"{shown_percent(face.fake_probability)} %" in text for face in result.faces) == count
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_32_faces_all_are_listed_or_counted(language: str) -> None:
    texts, result = texts_in(language), crowd(32)
    text = captions.single(texts, PictureResult(item(), result), None).text
    lines = text.split("\n\n")[1].splitlines()
    numbered = [line for line in lines if _number(texts.language, line)]
    rest = 32 - len(numbered)
    assert len(numbered) >= 8
    if rest:
        assert len(lines) == len(numbered) + 1 and str(rest) in lines[-1]
    listed = {int(_number(language, line)) - 1 for line in numbered}
    suspects = {index for index, each in enumerate(result.faces) if each.verdict is Verdict.FAKE}
    assert suspects <= listed or listed <= suspects, "the most suspicious come first"
    for index in listed:
        assert f"{shown_percent(result.faces[index].fake_probability)} %" in text


def _number(language: str, line: str) -> str:
    before = (
        texts_in(language)
        .gettext("Face {number}: {verdict}, fake {percent} %", number="#", verdict="", percent="")
        .partition("#")[0]
    )
    digits = line.removeprefix(before)
    return (
        digits[: len(digits) - len(digits.lstrip("0123456789"))] if line.startswith(before) else ""
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_album_of_ten(language: str) -> None:
    texts = texts_in(language)
    errors = [PictureResult(item(), error={"code": "unsupported_format"}) for _ in range(4)]
    similar = item(earlier=WHEN, similar=True)
    results = [*(PictureResult(similar, crowd(32)) for _ in range(6)), *errors]
    caption = captions.album(texts, results, VERY_LONG, skipped=3, may_repeat=True)
    assert length(caption.text) <= CAPTION_LIMIT
    assert all(f"\n{number}. " in caption.text for number in range(1, 11))
    assert "unmask-densenet121 10.20.30" in caption.text
    assert length(captions.failures(texts, errors * 3, 2).text) <= TEXT_LIMIT


def test_the_first_line_is_bold_as_counted_in_utf_16() -> None:
    caption = captions.single(texts_in("en"), PictureResult(item(), report()), None)
    head = caption.text.partition("\n")[0]
    assert caption.entities[0].length == len(head.encode("utf-16-le")) // 2


def test_the_hint_is_left_out_first() -> None:
    texts = texts_in("te")
    short = captions.single(
        texts, PictureResult(item(), report(face(Verdict.REAL))), None, hint=True
    )
    long = captions.single(
        texts, PictureResult(item(notes=list(Note)), crowd(32)), VERY_LONG, hint=True
    )
    assert "💡" in short.text and "💡" not in long.text


def test_a_cut_leaves_whole_characters() -> None:
    for limit in range(3, 12):
        cut = captions._cut("\U0001f977" * 9, limit)
        assert length(cut) <= limit and cut.endswith("…")
        cut.encode("utf-8")


MARKED = with_evidence(
    report(face(Verdict.REAL)),
    [
        Evidence(
            kind=Kind_.MARKS,
            code="mark_generated",
            weight=Weight.HINT,
            says=Says.GENERATED,
            parameters={"maker": "Google"},
        ),
        *(
            Evidence(
                kind=Kind_.METADATA,
                code="editor_named",
                weight=Weight.NOTE,
                parameters={"program": f"editor-{number}"},
            )
            for number in range(9)
        ),
    ],
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_marked_picture_has_no_tick(language: str) -> None:
    texts = texts_in(language)
    caption = captions.single(texts, PictureResult(item(), MARKED), VERY_LONG, hint=True)
    head = caption.text.partition("\n")[0]
    assert MARKS[Verdict.REAL] not in head and head.startswith(MARKS[Verdict.UNSURE])
    assert texts.gettext(VERDICTS[Verdict.REAL]) not in head
    assert "Google" in caption.text.split("\n")[1]
    assert length(caption.text) <= CAPTION_LIMIT
    assert caption.text.count("editor-") == 2  # the few heaviest findings


def test_a_marked_picture_of_an_album_has_no_tick() -> None:
    results = [PictureResult(item(), MARKED), PictureResult(item(), report(face(Verdict.REAL)))]
    text = captions.album(texts_in("en"), results, None, skipped=0, may_repeat=False).text
    assert f"1. {MARKS[Verdict.UNSURE]} Made by AI, says the file (fake 5 %)" in text
    assert f"2. {MARKS[Verdict.REAL]} No sign of manipulation (fake 5 %)" in text
    assert text.startswith(MARKS[Verdict.UNSURE])


def test_the_evidence_of_another_file_is_not_told_of_this_one() -> None:
    noted = MARKED.model_copy(update={"evidence": MARKED.evidence[1:], "evidence_says": "nothing"})
    caption = captions.single(
        texts_in("en"), PictureResult(item(earlier=WHEN, similar=True), noted), None
    )
    assert "editor-1" not in caption.text


TEAM = TeamAnswer(
    case=214, picture="same", verdict="out_of_context", confidence="medium", decided_at=WHEN
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_team_stands_above_the_machine_and_fits(language: str) -> None:
    texts, result = texts_in(language), crowd(32)
    sent = item(earlier=WHEN, similar=True, notes=list(Note))
    told = captions.single(texts, PictureResult(sent, result, team=TEAM), VERY_LONG, hint=True)
    assert length(told.text) <= CAPTION_LIMIT
    team, _, machine = told.text.partition("\n\n")
    assert texts.gettext("Out of context") in team
    assert "2026-11-23" in team
    assert texts.gettext("a copy") in team, "another file was looked up"
    check_complete(language, machine, result)


def test_an_album_names_the_team_where_it_has_decided() -> None:
    results = [PictureResult(item(), crowd(1), team=TEAM), PictureResult(item(), crowd(1))]
    undecided = TEAM.model_copy(update={"verdict": None})
    results.append(PictureResult(item(), crowd(1), team=undecided))
    text = captions.album(texts_in("en"), results, None, skipped=0, may_repeat=False).text
    lines = [line for line in text.splitlines() if line[:2] in ("1.", "2.", "3.")]
    assert ["Team: Out of context" in line for line in lines] == [True, False, False]
