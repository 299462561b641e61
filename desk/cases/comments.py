"""Comments on a case; ``@login`` in one tells that person."""

from __future__ import annotations

import re
from datetime import datetime

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict

from desk.actors import DeskActor
from desk.cases.work import load_case, set_quietly, watch
from desk.changes import Change, Changes
from desk.models import Case, Comment, HistoryEntry, HistoryText, Member, Mention, Person
from desk.text import checked
from desk.vocabulary import Action, NoticeKind
from unmask.errors import UnmaskError
from unmask.permissions import Permission, Role, require

MAX_COMMENT, MAX_MENTIONS = 5_000, 20
_MENTION = re.compile(r"(?<![\w@.])@([^\s@,;:/\\<>\"'()]+(?:@[^\s@,;:/\\<>\"'()]+)?)")


class CommentRecord(BaseModel):
    """A comment; of one that was removed only that it was there. ``mentions`` are people."""

    model_config = ConfigDict(frozen=True)

    id: int
    author: str
    person_id: int | None
    body: str
    mentions: tuple[int, ...]
    created: datetime
    edited_at: datetime | None
    removed_at: datetime | None


class Comments:
    """Adds, edits and removes comments."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def add(self, actor: DeskActor, number: int, body: str) -> CommentRecord:
        """Add a comment. Those who watch the case and those whom it names are told."""
        require(actor, Permission.COMMENT)
        body = checked(body, "comment", needed=True, most=MAX_COMMENT)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number)
            comment = Comment(
                team_id=change.team_id,
                case_id=case.id,
                author=actor.reference,
                person_id=actor.person_id,
                body=body,
                created=change.now,
            )
            change.session.add(comment)
            await change.session.flush()
            mentioned = await _mention(change, case, comment)
            if actor.person_id is not None:
                await watch(change, case, actor.person_id)
            watchers = await change.watchers(case) - mentioned
            await change.notify(watchers, NoticeKind.COMMENTED, case)
            await set_quietly(change, case)
            await change.record(Action.COMMENT_ADDED, case, {"comment": comment.id}, body)
            return _record(comment, mentioned)

    async def edit(
        self, actor: DeskActor, number: int, comment_id: int, body: str
    ) -> CommentRecord:
        """Change one's own comment; people whom it names newly are told."""
        require(actor, Permission.COMMENT)
        body = checked(body, "comment", needed=True, most=MAX_COMMENT)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number)
            comment = await _own(change, case, comment_id, by_admin=False)
            comment.body, comment.edited_at = body, change.now
            mentioned = await _mention(change, case, comment)
            await change.record(Action.COMMENT_EDITED, case, {"comment": comment.id}, body)
            return _record(comment, mentioned)

    async def remove(self, actor: DeskActor, number: int, comment_id: int) -> None:
        """Remove one's own comment, or as an admin anybody's: its text goes, also from the
        history."""
        require(actor, Permission.COMMENT)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number)
            comment = await _own(change, case, comment_id, by_admin=True)
            comment.body, comment.removed_at = "", change.now
            await _forget_texts(change, case, comment_id)
            await change.session.execute(sa.delete(Mention).where(Mention.comment_id == comment.id))
            await change.record(Action.COMMENT_REMOVED, case, {"comment": comment.id})

    async def list(self, actor: DeskActor, number: int) -> list[CommentRecord]:
        """The comments on a case, oldest first; raises ``not_found``."""
        require(actor, Permission.READ_CASES)
        async with self._changes.database.reading() as session:
            case = await session.scalar(
                sa.select(Case).where(Case.team_id == actor.team_id, Case.number == number)
            )
            if case is None:
                raise UnmaskError("not_found", f"There is no case {number}.")
            comments = await session.scalars(
                sa.select(Comment).where(Comment.case_id == case.id).order_by(Comment.id)
            )
            rows = await session.execute(
                sa.select(Mention.comment_id, Mention.person_id)
                .join(Comment, Comment.id == Mention.comment_id)
                .where(Comment.case_id == case.id)
            )
            named: dict[int, set[int]] = {}
            for comment_id, person_id in rows:
                named.setdefault(comment_id, set()).add(person_id)
            return [_record(comment, named.get(comment.id, set())) for comment in comments]


async def _mention(change: Change, case: Case, comment: Comment) -> set[int]:
    """The members whom a comment names; those who are named for the first time are told."""
    logins = [name.rstrip(".!?").casefold() for name in _MENTION.findall(comment.body)]
    if len(logins) > MAX_MENTIONS:
        raise UnmaskError("bad_request", f"A comment names at most {MAX_MENTIONS} people.")
    query = (
        sa.select(Person.id)
        .join(Member, Member.person_id == Person.id)
        .where(Member.team_id == change.team_id, Member.left_at.is_(None))
        .where(Person.login.in_(logins))
    )
    people = set(await change.session.scalars(query)) if logins else set()
    before = set(
        await change.session.scalars(
            sa.select(Mention.person_id).where(Mention.comment_id == comment.id)
        )
    )
    for person_id in people - before:
        change.session.add(Mention(comment_id=comment.id, person_id=person_id))
        await watch(change, case, person_id)
    await change.notify(people - before, NoticeKind.MENTIONED, case)
    return people | before


async def _own(change: Change, case: Case, comment_id: int, *, by_admin: bool) -> Comment:
    comment = await change.session.get(Comment, comment_id)
    if comment is None or comment.case_id != case.id or comment.removed_at is not None:
        raise UnmaskError("not_found", "There is no such comment.")
    is_admin = by_admin and change.actor.role is Role.ADMIN
    if comment.author != change.actor.reference and not is_admin:
        raise UnmaskError("not_allowed", "This is another person's comment.")
    return comment


async def _forget_texts(change: Change, case: Case, comment_id: int) -> None:
    kinds = (Action.COMMENT_ADDED, Action.COMMENT_EDITED)
    entries = await change.session.scalars(
        sa.select(HistoryEntry).where(
            HistoryEntry.team_id == change.team_id,
            HistoryEntry.case_number == case.number,
            HistoryEntry.action.in_(kinds),
        )
    )
    seqs = [entry.seq for entry in entries if entry.data.get("comment") == comment_id]
    await change.session.execute(
        sa.delete(HistoryText).where(
            HistoryText.team_id == change.team_id, HistoryText.seq.in_(seqs)
        )
    )


def _record(comment: Comment, mentions: set[int]) -> CommentRecord:
    return CommentRecord(
        id=comment.id,
        author=comment.author,
        person_id=comment.person_id,
        body=comment.body,
        mentions=tuple(sorted(mentions)),
        created=comment.created,
        edited_at=comment.edited_at,
        removed_at=comment.removed_at,
    )
