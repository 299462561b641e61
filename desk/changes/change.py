"""A transaction of one team, begun by locking the team's head of history.

So all changes of a team come one after another: two people who press "claim" at once, or two
senders of one picture, meet here, and the chain needs no retries. Reading waits for nobody.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from desk.actors import DeskActor
from desk.changes import chain
from desk.database import Database
from desk.models import (
    Case,
    Counter,
    DoneRequest,
    HistoryEntry,
    HistoryHead,
    HistoryText,
    Notice,
    Outbox,
    Team,
    Watch,
)
from desk.vocabulary import Action, NoticeKind, TeamSettings
from unmask.errors import UnmaskError

Clock = Callable[[], datetime]
_COUNTERS = cast("sa.Table", Counter.__table__)


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


class AlreadyDoneError(Exception):
    """The request was carried out before: ``case`` is the number of the case that it changed."""

    def __init__(self, case: int) -> None:
        super().__init__(f"already done with case {case}")
        self.case = case


class Change:
    """What one transaction does. Made by :meth:`Changes.begin`.

    ``session`` is the transaction, ``now`` its moment, ``actor`` who makes the change, and
    ``case_number`` the first case that it is recorded for.
    """

    def __init__(
        self, session: AsyncSession, actor: DeskActor, now: datetime, head: HistoryHead, team: Team
    ) -> None:
        self.session = session
        self.actor = actor
        self.now = now
        self.team = team
        self.settings = TeamSettings.model_validate(team.settings)
        self.case_number: int | None = None
        self._head = head

    @property
    def team_id(self) -> int:
        """The team that all rows of this change belong to."""
        return self.actor.team_id

    @property
    def person_id(self) -> int:
        """The person who makes the change; raises ``not_allowed`` for a key or a machine."""
        if self.actor.person_id is None:
            raise UnmaskError("not_allowed", "Only a person may do this.")
        return self.actor.person_id

    async def record(
        self,
        action: Action,
        case: Case | None = None,
        data: Mapping[str, Any] | None = None,
        text: str | None = None,
        *,
        number: int | None = None,
    ) -> int:
        """Append to the history and put the event into the outbox; returns the entry's number.

        ``data`` are JSON values without free text and names: it can never be erased. ``text`` can.
        """
        await self.session.flush()  # the version of the case is counted by the flush
        body = dict(data or {})
        if self.actor.via is not None:
            body["via"] = f"key:{self.actor.via}"
        salt = chain.new_salt() if text is not None else None
        seq = self._head.seq + 1
        number = case.number if case is not None else number
        # A lapsed claim is ended on the way to something else, which may be refused.
        if self.case_number is None and action is not Action.CASE_LAPSED:
            self.case_number = number
        entry = HistoryEntry(
            team_id=self.team_id,
            seq=seq,
            at=self.now,
            actor=self.actor.reference,
            action=action.value,
            case_number=number,
            data=body,
            text_sha256=chain.text_hash(salt, text) if salt and text is not None else None,
            prev_hash=self._head.hash,
            hash="",
        )
        entry.hash = hash_of(entry)
        self.session.add(entry)
        if salt and text is not None:
            self.session.add(HistoryText(team_id=self.team_id, seq=seq, salt=salt, text=text))
        self._head.seq, self._head.hash = seq, entry.hash
        self.session.add(
            Outbox(
                team_id=self.team_id,
                seq=seq,
                kind=action.value,
                case_number=number,
                version=case.version if case is not None else None,
                data=body,
                at=self.now,
            )
        )
        return seq

    async def count(self, deltas: Mapping[str, int]) -> None:
        """Add to counters of the team, by their keys: one statement, however many they are."""
        by_key = sa.case(deltas, value=_COUNTERS.c.key)
        query = (
            sa.update(_COUNTERS)
            .where(_COUNTERS.c.team_id == self.team_id, _COUNTERS.c.key.in_(deltas))
            .values(n=_COUNTERS.c.n + by_key)
            .returning(_COUNTERS.c.key)
        )
        with self.session.no_autoflush:  # counters are no pending objects: nothing to write before
            counted = set(await self.session.scalars(query))
            rows = [
                {"team_id": self.team_id, "key": key, "n": delta}
                for key, delta in deltas.items()
                if key not in counted
            ]
            if rows:
                await self.session.execute(sa.insert(_COUNTERS), rows)

    async def notify(self, people: Iterable[int], kind: NoticeKind, case: Case) -> None:
        """Tell people of a case, except the one who makes the change."""
        for person_id in sorted(set(people) - {self.actor.person_id}):
            self.session.add(
                Notice(
                    team_id=self.team_id,
                    person_id=person_id,
                    kind=kind,
                    case_id=case.id,
                    by=self.actor.reference,
                    at=self.now,
                )
            )

    async def watchers(self, case: Case) -> set[int]:
        """The people who watch a case."""
        rows = await self.session.scalars(
            sa.select(Watch.person_id).where(Watch.case_id == case.id)
        )
        return set(rows)


class Changes:
    """Begins changes; ``on_commit`` is called after each one that was committed."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self.database = database
        self.clock = clock
        self.on_commit: Callable[[], None] = lambda: None

    @contextlib.asynccontextmanager
    async def begin(self, actor: DeskActor) -> AsyncIterator[Change]:
        """A change by ``actor`` in the actor's team, committed at the end of the block.

        Raises ``not_found`` if there is no such team, and :class:`AlreadyDoneError` if the actor's
        request was carried out before.
        """
        async with self.database.writing() as session:
            # Both rows are locked: PostgreSQL reads those that it locks again after it waited, and
            # others as they were before. ``key_share`` lets rows that refer to the team be written.
            query = (
                sa.select(HistoryHead, Team)
                .join(Team, Team.id == HistoryHead.team_id)
                .where(HistoryHead.team_id == actor.team_id)
                .with_for_update(key_share=True)
            )
            row = (await session.execute(query)).first()
            if row is None:
                raise UnmaskError("not_found", "There is no such team.")
            head, team = row
            change = Change(session, actor, self.clock(), head, team)
            if actor.request is None:
                yield change
            else:
                async with _once(change, actor.request):
                    yield change
        self.on_commit()


@contextlib.asynccontextmanager
async def _once(change: Change, request: str) -> AsyncIterator[None]:
    """Let a request be carried out once, however often it is sent: that it was is committed with
    what it changed. Raises :class:`AlreadyDoneError`."""
    sender = f"{change.actor.reference}\n{request}"
    key = (change.team_id, hashlib.sha256(sender.encode()).hexdigest())
    done = await change.session.get(DoneRequest, key)
    if done is not None:
        raise AlreadyDoneError(done.case_number)
    yield
    if change.case_number is not None:
        row = DoneRequest(
            team_id=key[0], key_sha256=key[1], case_number=change.case_number, at=change.now
        )
        change.session.add(row)


def hash_of(entry: HistoryEntry) -> str:
    """What the hash of an entry must be."""
    return chain.entry_hash(
        entry.prev_hash,
        team_id=entry.team_id,
        seq=entry.seq,
        at=entry.at,
        actor=entry.actor,
        action=entry.action,
        case_number=entry.case_number,
        data=entry.data,
        text_sha256=entry.text_sha256,
    )
