"""What people write about a case, and how they sort it: texts, priority, due date, tags."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from desk.actors import DeskActor
from desk.cases.records import CaseRecord
from desk.cases.work import load_case, rank_of, record_of, set_quietly, watch
from desk.changes import Change, Changes
from desk.models import Case, CaseTag, CaseText, Tag, Watch
from desk.text import checked, folded, line
from desk.vocabulary import Action
from unmask.errors import UnmaskError
from unmask.permissions import Permission, require

MAX_PRIORITY, MAX_TAGS, MAX_TAG = 3, 30, 60


class CaseChanges(BaseModel):
    """What to change of a case; a field that is not set stays. ``due_at`` None takes the date off,
    if it is set to None by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str | None = None
    claim: str | None = None
    summary: str | None = None
    priority: int | None = None
    due_at: datetime | None = None
    sensitive: bool | None = None
    legal_hold: bool | None = None


class Editing:
    """Edits and sorts cases."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def edit(
        self, actor: DeskActor, number: int, edits: CaseChanges, version: int | None = None
    ) -> CaseRecord:
        """Change a case's texts, priority, due date or marks.

        Raises ``conflict`` if it has another ``version``, ``bad_request``, ``not_found``, and
        ``not_allowed`` for the legal hold, which is for admins.
        """
        require(actor, Permission.EDIT_CASE)
        if edits.legal_hold is not None:
            require(actor, Permission.MANAGE_TEAM)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number, version)
            texts = await _set_texts(change, case, edits)
            fields = _set_marks(case, edits)
            if texts or fields:
                case.updated = change.now
                text = json.dumps(texts, ensure_ascii=False, sort_keys=True) if texts else None
                data = {"fields": sorted(texts), **fields}
                await change.record(Action.CASE_EDITED, case, data, text)
            return await record_of(change, case)

    async def tag(
        self, actor: DeskActor, number: int, *, add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> CaseRecord:
        """Put tags on a case and take others off; the version stays."""
        require(actor, Permission.EDIT_CASE)
        to_add, to_remove = checked_tags(add), checked_tags(remove)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number)
            await set_tags(change, case, to_add, to_remove)
            return await record_of(change, case)

    async def tags(self, actor: DeskActor) -> dict[str, int]:
        """The team's tags, each with the number of its cases."""
        require(actor, Permission.READ_CASES)
        query = (
            sa.select(Tag.name, sa.func.count(CaseTag.case_id))
            .outerjoin(CaseTag, CaseTag.tag_id == Tag.id)
            .where(Tag.team_id == actor.team_id)
            .group_by(Tag.name)
            .order_by(Tag.name)
        )
        async with self._changes.database.reading() as session:
            return {name: int(count) for name, count in await session.execute(query)}

    async def delete_tag(self, actor: DeskActor, name: str) -> None:
        """Take a tag off all cases; raises ``not_found``."""
        require(actor, Permission.MANAGE_TEAM)
        async with self._changes.begin(actor) as change:
            tag = await _tag(change.session, actor.team_id, name.casefold())
            if tag is None:
                raise UnmaskError("not_found", "There is no such tag.")
            await change.session.execute(sa.delete(CaseTag).where(CaseTag.tag_id == tag.id))
            await change.session.delete(tag)
            await change.record(Action.TEAM_EDITED, data={"deleted_tag": tag.id})

    async def watch(self, actor: DeskActor, number: int, *, on: bool = True) -> None:
        """Let the actor know, or no longer, of what happens to a case."""
        require(actor, Permission.WATCH)
        async with self._changes.begin(actor) as change:
            case = await load_case(change, number)
            if on:
                await watch(change, case, change.person_id)
            else:
                mine = (Watch.case_id == case.id, Watch.person_id == change.person_id)
                await change.session.execute(sa.delete(Watch).where(*mine))


def checked_tags(names: Iterable[str]) -> list[str]:
    """Tags as they are stored: case-folded, each once; raises ``bad_request``."""
    return sorted({line(name, "tag", needed=True, most=MAX_TAG).casefold() for name in names})


async def set_tags(change: Change, case: Case, add: list[str], remove: list[str]) -> None:
    """Put tags on and take tags off a case in a change that is under way."""
    rows = await change.session.execute(
        sa.select(Tag.name, Tag.id)
        .join(CaseTag, CaseTag.tag_id == Tag.id)
        .where(CaseTag.case_id == case.id)
    )
    present = {row.name: row.id for row in rows}
    added, removed = [], []
    for name in add:
        if name not in present:
            tag = await _tag(change.session, change.team_id, name)
            if tag is None:
                tag = Tag(team_id=change.team_id, name=name)
                change.session.add(tag)
                await change.session.flush()
            change.session.add(CaseTag(case_id=case.id, tag_id=tag.id))
            added.append(tag.id)
    for name in remove:
        if name in present:
            of_case = (CaseTag.case_id == case.id, CaseTag.tag_id == present[name])
            await change.session.execute(sa.delete(CaseTag).where(*of_case))
            removed.append(present[name])
    if len(present) + len(added) - len(removed) > MAX_TAGS:
        raise UnmaskError("bad_request", f"A case has at most {MAX_TAGS} tags.", field="tags")
    if added or removed:
        await set_quietly(change, case)
        # by number, for a tag is a word of people's, which may have to be erased
        await change.record(Action.CASE_TAGGED, case, {"added": added, "removed": removed})


async def write_texts(session: AsyncSession, text: CaseText, **values: str) -> None:
    """Set a case's texts, and the words that the search reads."""
    for name, value in values.items():
        setattr(text, name, value)
    text.folded = folded(text.title, text.claim, text.summary)
    await session.flush()


async def _set_texts(change: Change, case: Case, edits: CaseChanges) -> dict[str, str]:
    """Set the texts that differ; returns them."""
    text = await change.session.get_one(CaseText, case.id)
    wanted = {
        "title": line(edits.title, "title") if edits.title is not None else None,
        "claim": checked(edits.claim, "claim") if edits.claim is not None else None,
        "summary": (
            checked(edits.summary, "summary", most=2_000) if edits.summary is not None else None
        ),
    }
    changed = {
        name: value
        for name, value in wanted.items()
        if value is not None and value != getattr(text, name)
    }
    if changed:
        await write_texts(change.session, text, **changed)
    return changed


def _set_marks(case: Case, edits: CaseChanges) -> dict[str, object]:
    """Set priority, due date and marks; returns those that changed."""
    if edits.priority is not None and not 0 <= edits.priority <= MAX_PRIORITY:
        message = f"A priority is 0 to {MAX_PRIORITY}."
        raise UnmaskError("bad_request", message, field="priority")
    if edits.due_at is not None and edits.due_at.tzinfo is None:
        raise UnmaskError("bad_request", "The due date needs a time zone.", field="due_at")
    names = [
        name
        for name in ("priority", "sensitive", "legal_hold")
        if getattr(edits, name) not in (None, getattr(case, name))
    ]
    if "due_at" in edits.model_fields_set and edits.due_at != case.due_at:
        names.append("due_at")
    changed: dict[str, object] = {}
    for name in names:
        value = getattr(edits, name)
        setattr(case, name, value)
        changed[name] = value.isoformat() if isinstance(value, datetime) else value
    case.rank = rank_of(case)
    return changed


async def _tag(session: AsyncSession, team_id: int, name: str) -> Tag | None:
    tag: Tag | None = await session.scalar(
        sa.select(Tag).where(Tag.team_id == team_id, Tag.name == name)
    )
    return tag
