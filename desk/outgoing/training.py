"""Decided cases as a data set for model_training: a zip of the pictures and ``faces.csv``.

Only of teams that allow it (the setting ``allow_training``). Pictures that may show one thing share
a group, and a group is in one split, so that no copy of a training picture is in the test.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import tempfile
import zipfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import IO

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from desk.actors import DeskActor
from desk.changes import Changes
from desk.models import Case, Picture, Report, Suggestion
from desk.pictures.keep import ORIGINAL, Keep
from desk.queue.filters import CaseFilter, conditions
from desk.vocabulary import DECIDED_STATES, Action, HumanVerdict
from unmask.errors import UnmaskError
from unmask.permissions import Permission, require
from unmask.report import Verdict

MAX_PICTURES = 5_000
_CHUNK = 262_144
#: "Out of context" says that the picture itself is genuine; "cannot tell" is no label.
LABELS = {
    HumanVerdict.AUTHENTIC: "real",
    HumanVerdict.OUT_OF_CONTEXT: "real",
    HumanVerdict.MANIPULATED: "fake",
    HumanVerdict.GENERATED: "fake",
}
COLUMNS = (
    *("file", "split", "label", "kind", "source", "group", "mask", "parts", "twin"),
    *("machine_verdict", "model_version"),
)


@dataclass(frozen=True)
class _Example:
    case: int
    store_key: str
    sha256: str
    format: str
    verdict: HumanVerdict
    machine: Verdict
    model_version: str

    @property
    def file(self) -> str:
        """Its name in the zip."""
        suffix = {"JPEG": "jpg"}.get(self.format, self.format.lower())
        return f"pictures/{self.sha256}.{suffix}"


class TrainingExport:
    """Exports decided cases with their human labels."""

    def __init__(self, changes: Changes, keep: Keep) -> None:
        self._changes = changes
        self._keep = keep

    async def stream(self, actor: DeskActor, *, overruled: bool = False) -> AsyncIterator[bytes]:
        """The zip, in pieces; with ``overruled`` only cases in which people contradict the machine.

        Raises ``not_allowed``, also where the team's settings do not allow it, before the first
        piece. The newest 5,000 pictures are taken; one whose file is lost is left out.
        """
        require(actor, Permission.EXPORT)
        async with self._changes.begin(actor) as change:
            if not change.settings.allow_training:
                message = "The team's settings do not allow its pictures to be trained on."
                raise UnmaskError("not_allowed", message)
            data = {"format": "training", "overruled": overruled}
            await change.record(Action.EXPORT_MADE, data=data)
        async with self._changes.database.reading() as session:
            examples = await self._examples(session, actor, overruled=overruled)
            groups = await _groups(session, actor.team_id)
        with tempfile.TemporaryFile() as file:
            await self._write(actor, file, examples, groups)
            file.seek(0)
            while chunk := await asyncio.to_thread(file.read, _CHUNK):
                yield chunk

    async def _examples(
        self, session: AsyncSession, actor: DeskActor, *, overruled: bool
    ) -> list[_Example]:
        wanted = CaseFilter(state=DECIDED_STATES, overruled=overruled or None)
        where = conditions(wanted, actor, self._changes.clock())
        rows = await session.execute(
            sa.select(Case, Picture, Report)
            .join(Picture, Picture.id == Case.picture_id)
            .join(Report, Report.picture_id == Picture.id)
            .where(*where, Case.verdict.in_(list(LABELS)))
            .order_by(Case.id.desc(), Report.id.desc())
            .limit(MAX_PICTURES)
        )
        found: dict[str, _Example] = {}
        for case, picture, report in rows:
            if case.verdict is None:
                continue
            example = _Example(
                case.id,
                picture.store_key,
                picture.sha256,
                picture.format,
                case.verdict,
                case.machine_verdict,
                report.model_version,
            )
            found.setdefault(picture.sha256, example)
        return list(found.values())

    async def _write(
        self,
        actor: DeskActor,
        file: IO[bytes],
        examples: list[_Example],
        groups: Mapping[int, int],
    ) -> None:
        table = io.StringIO()
        rows = csv.writer(table)
        rows.writerow(COLUMNS)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for example in examples:
                data = await self._keep.get(actor.team_id, example.store_key, ORIGINAL)
                if data is not None:
                    await asyncio.to_thread(archive.writestr, example.file, data)
                    rows.writerow(_row(example, groups.get(example.case, example.case)))
            archive.writestr("faces.csv", table.getvalue())


def _row(example: _Example, group: int) -> tuple[str, ...]:
    label = LABELS[example.verdict]
    kind = "" if label == "real" else str(example.verdict)
    return (
        *(example.file, split_of(group), label, kind, "desk", f"desk-{group}", "", "", ""),
        *(str(example.machine), example.model_version),
    )


def split_of(group: int) -> str:
    """The split of a group: always the same, eight in ten for training."""
    part = hashlib.sha256(f"desk group {group}".encode()).digest()[0] % 10
    return {8: "val", 9: "test"}.get(part, "train")


async def _groups(session: AsyncSession, team_id: int) -> dict[int, int]:
    """For each case that may show what another shows, the least case that it is tied to: also a
    fake and its photograph, whose suggestion people refused."""
    pairs = await session.execute(
        sa.select(Suggestion.case_a, Suggestion.case_b).where(Suggestion.team_id == team_id)
    )
    least: dict[int, int] = {}

    def root(case: int) -> int:
        while least.get(case, case) != case:
            case = least[case]
        return case

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        least[high] = low
    return {case: root(case) for case in least}
