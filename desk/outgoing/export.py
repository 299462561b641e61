"""The cases of a filter as CSV or JSON, streamed, and the overruled ones for training.

A spreadsheet runs what begins like a formula, so in CSV such cells get an apostrophe; JSON is
exact. Who sent a picture, and from which chat, is for admins alone.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from desk.actors import DeskActor
from desk.cases.records import CaseRecord, records_of
from desk.changes import Changes
from desk.models import Case, CaseText, Opinion, Picture, Sighting
from desk.queue.filters import CaseFilter, conditions
from desk.queue.pages import searched
from desk.vocabulary import Action
from unmask.permissions import Permission, may, require

_BATCH = 200
_FORMULA = ("=", "+", "-", "@", "%", "|", "\t", "\r", "\n")
#: The columns of a case, then those that only an admin's export has.
COLUMNS = (
    *("number", "state", "title", "claim", "summary", "verdict", "confidence", "reasoning"),
    *("evidence_links", "by_second", "machine_verdict", "suspicion", "priority", "tags"),
    *("sightings", "pages", "created", "last_sighting_at", "decided_at", "due_at"),
    *("dismissed_for", "joined_into", "sha256"),
)
SENDERS = ("sent_by", "channels")


class ExportFormat(StrEnum):
    """The form of an export."""

    CSV = "csv"
    JSON = "json"


class Export:
    """Exports cases."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def stream(
        self, actor: DeskActor, wanted: CaseFilter, form: ExportFormat
    ) -> AsyncIterator[bytes]:
        """The export in pieces: CSV with a line of headings, or JSON with one array.

        Cases that were joined to another are there too, with ``joined_into``. Raises
        ``not_allowed`` before the first piece; the export is written to the history.
        """
        require(actor, Permission.EXPORT)
        async with self._changes.begin(actor) as change:
            fields = sorted(wanted.model_fields_set)
            data = {"format": str(form), "fields": fields}
            await change.record(Action.EXPORT_MADE, data=data)
        columns = [*COLUMNS, *(SENDERS if may(actor, Permission.EXPORT_SENDERS) else ())]
        as_csv = form is ExportFormat.CSV
        yield _csv_line(columns) if as_csv else b"[\n"
        is_first = True
        async for row in self._rows(actor, wanted, columns):
            if as_csv:
                yield _csv_line([_cell(row[name]) for name in columns])
            else:
                text = json.dumps(row, ensure_ascii=False, default=_plain)
                yield ("" if is_first else ",\n").encode() + text.encode()
            is_first = False
        if not as_csv:
            yield b"\n]\n"

    async def _rows(
        self, actor: DeskActor, wanted: CaseFilter, columns: Sequence[str]
    ) -> AsyncIterator[dict[str, Any]]:
        """The rows in batches, each a transaction of its own: a slow reader holds no other."""
        last, now = 0, self._changes.clock()
        while True:
            async with self._changes.database.reading() as session:
                where = [*conditions(wanted, actor, now, joined=True), Case.id > last]
                ids = await searched(session, actor, wanted)
                if ids is not None:
                    where.append(Case.id.in_(ids))
                query = sa.select(Case).where(*where).order_by(Case.id).limit(_BATCH)
                cases = list(await session.scalars(query))
                rows = await _rows_of(session, actor, cases, now)
            if not cases:
                return
            for row in rows:
                yield {name: row[name] for name in columns}
            last = cases[-1].id


async def _rows_of(
    session: AsyncSession, actor: DeskActor, cases: Sequence[Case], now: datetime
) -> list[dict[str, Any]]:
    ids = [case.id for case in cases]
    records = await records_of(session, actor.team_id, cases, now)
    texts = {
        row.case_id: row
        for row in await session.scalars(sa.select(CaseText).where(CaseText.case_id.in_(ids)))
    }
    opinions: dict[int, Opinion] = {}
    by_case = {case.id: case for case in cases}
    for opinion in await session.scalars(
        sa.select(Opinion).where(Opinion.case_id.in_(ids)).order_by(Opinion.id)
    ):
        case = by_case[opinion.case_id]
        # Only what decided: an opinion that must stay hidden is not exported.
        is_deciding = opinion.round == case.round and opinion.verdict is case.verdict
        if case.verdict is not None and is_deciding:
            opinions[case.id] = opinion
    seen: dict[int, list[Sighting]] = {}
    for sighting in await session.scalars(
        sa.select(Sighting).where(Sighting.case_id.in_(ids)).order_by(Sighting.id)
    ):
        seen.setdefault(sighting.case_id, []).append(sighting)
    pictures = [case.picture_id for case in cases if case.picture_id is not None]
    hashes = await session.execute(
        sa.select(Picture.id, Picture.sha256).where(Picture.id.in_(pictures))
    )
    sha256s = {row.id: row.sha256 for row in hashes}
    return [
        _row(record, texts[case.id], opinions.get(case.id), seen.get(case.id, []))
        | {"sha256": sha256s.get(case.picture_id or 0)}
        for case, record in zip(cases, records, strict=True)
    ]


def _row(
    record: CaseRecord, text: CaseText, opinion: Opinion | None, seen: Sequence[Sighting]
) -> dict[str, Any]:
    row = record.model_dump(mode="json")
    return row | {
        "claim": text.claim,
        "summary": text.summary,
        "confidence": opinion.confidence.value if opinion else None,
        "reasoning": opinion.reasoning if opinion else None,
        "evidence_links": list(opinion.evidence_links) if opinion else [],
        "pages": _each_once(sighting.page_url for sighting in seen),
        "channels": _each_once(sighting.channel for sighting in seen),
        "sent_by": _each_once(sighting.sent_by for sighting in seen),
    }


def _each_once(values: Any) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))


def _cell(value: Any) -> str:
    """A value as a spreadsheet shows it without running it."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        value = " ".join(map(str, value))
    text = str(value)
    if isinstance(value, int | float):
        return text
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv_line(cells: Sequence[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().encode()


def _plain(value: Any) -> str:
    return str(value)
