"""Exports: complete, safe for a spreadsheet, and without what a reader may not see."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from desk.actors import DeskActor
from desk.cases.editing import CaseChanges
from desk.outgoing import ExportFormat
from desk.pictures import Source
from desk.queue import CaseFilter
from desk.vocabulary import CaseState
from tests.desk.checks import StubChecks, jpeg, pattern
from tests.desk.play import Play, judgement, refused

pytestmark = pytest.mark.anyio

EVERY = CaseFilter(state=tuple(CaseState))


async def _export(play: Play, actor: DeskActor, form: ExportFormat) -> str:
    pieces = [piece async for piece in play.desk.export.stream(actor, EVERY, form)]
    return b"".join(pieces).decode()


async def _rows(play: Play, actor: DeskActor) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(await _export(play, actor, ExportFormat.JSON))
    return rows


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "%", "|"])
async def test_a_spreadsheet_runs_no_cell(play: Play, start: str) -> None:
    title = f'{start}HYPERLINK("https://evil.example", "a, b")'
    number = await play.case()
    await play.desk.editing.edit(play.bob, number, CaseChanges(title=title))
    text = await _export(play, play.bob, ExportFormat.CSV)
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["title"] == f"'{title}" and row["suspicion"] == "90"
    assert (await _rows(play, play.bob))[0]["title"] == title, "JSON is exact"


async def test_all_is_there_and_who_sent_it_for_admins_alone(
    play: Play, checks: StubChecks
) -> None:
    source = Source(page_url="https://example.org/a", channel="The chat")
    sent = await play.desk.intake.send(play.bob, checks.add(jpeg(pattern(60))), source)
    number = sent.case or 0
    await play.desk.opinions.decide(play.bob, number, judgement())
    joined = await play.case()
    await play.desk.joining.join(play.bob, joined, number)
    rows = {row["number"]: row for row in await _rows(play, play.bob)}
    assert rows[joined]["joined_into"] == number
    assert rows[number]["reasoning"] == judgement().reasoning
    assert rows[number]["pages"] == ["https://example.org/a"]
    assert "sent_by" not in rows[number]
    (row, _) = await _rows(play, play.ada)
    assert (row["sent_by"], row["channels"]) == ([play.bob.reference], ["The chat"])
    with refused("not_allowed"):
        await _export(play, play.vera, ExportFormat.CSV)
    assert await _rows(play, play.foreign) == []
    assert (await play.desk.history.verify(play.ada)).holds


async def test_a_hidden_opinion_is_not_exported(play: Play) -> None:
    await play.rules(second_opinion="always")
    number = await play.case()
    await play.desk.opinions.decide(play.bob, number, judgement())
    text = await _export(play, play.ada, ExportFormat.JSON)
    assert judgement().reasoning not in text and "manipulated" not in text


async def test_many_cases_come_in_pieces(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desk.outgoing.export._BATCH", 3)
    for _ in range(7):
        await play.case()
    assert [row["number"] for row in await _rows(play, play.bob)] == list(range(1, 8))
