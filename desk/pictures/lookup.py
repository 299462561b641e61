"""What the team said of a picture before: the answer to somebody who meets it again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from desk.actors import DeskActor
from desk.cases.records import current_state
from desk.changes import Changes
from desk.models import Case, CaseText, Opinion, Picture, Publication, Report, Sighting, Team
from desk.pictures.keep import ORIGINAL, Keep
from desk.pictures.looks import Appearance, Looker, Near, is_near_enough, near_pictures
from desk.text import web_address
from desk.vocabulary import DECIDED_STATES, CaseState, Confidence, HumanVerdict, TeamSettings
from unmask.errors import UnmaskError
from unmask.permissions import Permission, require
from unmask.report import Box, Verdict

#: Most pictures of one question.
MAX_ASKED = 50


class Likeness(StrEnum):
    """How a picture that the team knows is like the one that was asked about."""

    SAME = "same"  # the same file
    COPY = "copy"  # another encoding or size of it, compared place by place


class TeamAnswer(BaseModel):
    """A case that the team has on a picture.

    ``verdict`` and what belongs to it are there once the case is decided. They are left out, and
    ``earlier`` says why, where the verdict must not answer: it is old (``stale``), or it was about
    another context than the page that is asked about (``other_context``).
    """

    model_config = ConfigDict(frozen=True)

    case: int
    state: CaseState
    picture: Likeness
    machine_verdict: Verdict
    verdict: HumanVerdict | None = None
    confidence: Confidence | None = None
    summary: str = ""
    decided_at: datetime | None = None
    by_second: bool = False
    report: str | None = None
    earlier: str | None = None


class Lookup:
    """Finds the team's answer; never from a mere suggestion, never from another team."""

    def __init__(self, changes: Changes, keep: Keep, looker: Looker) -> None:
        self._changes = changes
        self._keep = keep
        self._looker = looker

    async def by_sha256(
        self, actor: DeskActor, sha256s: Sequence[str], page_url: str | None = None
    ) -> dict[str, TeamAnswer]:
        """The answers for files that the team has, by their sha256; at most 50 are asked for.

        ``page_url`` is the page that shows them. Raises ``bad_request``.
        """
        require(actor, Permission.LOOK_UP)
        if len(sha256s) > MAX_ASKED:
            message = f"At most {MAX_ASKED} pictures can be looked up together."
            raise UnmaskError("bad_request", message, limit=MAX_ASKED)
        page = web_address(page_url, "page") if page_url else None
        async with self._changes.database.reading() as session:
            if not await self._is_answered(session, actor):
                return {}
            rows = await session.execute(
                sa.select(Picture.sha256, Picture.id, Case)
                .join(Case, Case.id == Picture.case_id)
                .where(Picture.team_id == actor.team_id, Picture.sha256.in_(sha256s))
            )
            return {
                sha256: await self.answer(session, case, _likeness(case, picture_id), page)
                for sha256, picture_id, case in rows.all()
            }

    async def by_picture(
        self,
        actor: DeskActor,
        sha256: str,
        data: bytes,
        faces: Sequence[Box] = (),
        page_url: str | None = None,
    ) -> TeamAnswer | None:
        """The answer for a picture's bytes: the same file, or a copy; None if the team has none.

        ``faces`` are the boxes of its faces, in pixels, where they are known: with them a swapped
        face is told apart more finely. Raises what decoding the bytes does.
        """
        found = await self.by_sha256(actor, [sha256], page_url)
        if found:
            return found[sha256]
        appearance = await self._looker.look(data, faces)
        case_id = await self.copy_of(actor.team_id, appearance)
        if case_id is None:
            return None
        page = web_address(page_url, "page") if page_url else None
        async with self._changes.database.reading() as session:
            if not await self._is_answered(session, actor):
                return None
            case = await session.get_one(Case, case_id)
            return await self.answer(session, case, Likeness.COPY, page)

    async def copy_of(self, team_id: int, appearance: Appearance) -> int | None:
        """The case (its row's number) whose own picture is the same as one that was looked at."""
        if appearance.is_plain:
            return None
        async with self._changes.database.reading() as session:
            candidates = await near_pictures(session, team_id, appearance.look.bits)
        for near in candidates:
            if is_near_enough(near) and await self.is_copy(team_id, appearance, near):
                return near.case_id
        return None

    async def is_copy(self, team_id: int, appearance: Appearance, near: Near) -> bool:
        """Whether a picture is a copy of a near case's own; a file that is lost is none."""
        data = await self._keep.get(team_id, near.store_key, ORIGINAL)
        if data is None:
            return False
        async with self._changes.database.reading() as session:
            report = await session.scalar(
                sa.select(Report.report).where(Report.picture_id == near.picture_id).limit(1)
            )
        faces = [_box(face["box"]) for face in (report or {}).get("faces", ())]
        return appearance.is_copy_of(await self._looker.look(data, faces))

    async def answer(
        self, session: AsyncSession, case: Case, likeness: Likeness, page: str | None
    ) -> TeamAnswer:
        """The answer that a case gives for a page."""
        now = self._changes.clock()
        known = TeamAnswer(
            case=case.number,
            state=current_state(case, now),
            picture=likeness,
            machine_verdict=case.machine_verdict,
        )
        if case.state not in DECIDED_STATES or case.decided_at is None:
            return known
        earlier = await why_earlier(session, case, page, now)
        update: dict[str, object] = {"decided_at": case.decided_at, "earlier": earlier}
        if earlier is None:
            update |= await _verdict_of(session, case)
        return known.model_copy(update=update)

    async def answer_to(self, actor: DeskActor, sighting: Sighting) -> TeamAnswer | None:
        """The answer to who sent a picture; None if the team answers nobody."""
        async with self._changes.database.reading() as session:
            if not await self._is_answered(session, actor):
                return None
            case = await session.get_one(Case, sighting.case_id)
            likeness = _likeness(case, sighting.picture_id)
            return await self.answer(session, case, likeness, sighting.page_url)

    @staticmethod
    async def _is_answered(session: AsyncSession, actor: DeskActor) -> bool:
        team = await session.get_one(Team, actor.team_id)
        return TeamSettings.model_validate(team.settings).auto_answer


def _likeness(case: Case, picture_id: int) -> Likeness:
    """People decide on the case's own picture; the others of the case are copies of it."""
    return Likeness.SAME if picture_id == case.picture_id else Likeness.COPY


def _box(values: Sequence[int]) -> Box:
    left, top, width, height = values
    return left, top, width, height


async def why_earlier(
    session: AsyncSession, case: Case, page: str | None, now: datetime
) -> str | None:
    """Why a decided case must not answer for a page; None if it may."""
    team = await session.get_one(Team, case.team_id)
    settings = TeamSettings.model_validate(team.settings)
    if case.decided_at is None or now - case.decided_at > timedelta(days=settings.stale_days):
        return "stale"
    if case.verdict is not HumanVerdict.OUT_OF_CONTEXT:
        return None
    # "Out of context" is about a context: it says nothing of the picture on another page.
    if page is None:
        return "other_context"
    same = sa.select(Sighting.id).where(
        Sighting.case_id == case.id,
        Sighting.page_url == page,
        Sighting.seen_at <= case.decided_at,
    )
    return None if await session.scalar(same.limit(1)) is not None else "other_context"


async def _verdict_of(session: AsyncSession, case: Case) -> dict[str, object]:
    text = await session.get_one(CaseText, case.id)
    opinion = await session.scalar(
        sa.select(Opinion)
        .where(Opinion.case_id == case.id, Opinion.round == case.round)
        .where(Opinion.verdict == case.verdict)
        .order_by(Opinion.id.desc())
        .limit(1)
    )
    slug = None
    if case.state is CaseState.PUBLISHED:
        slug = await session.scalar(
            sa.select(Publication.slug).where(Publication.case_id == case.id).limit(1)
        )
    return {
        "verdict": case.verdict,
        "confidence": opinion.confidence if opinion is not None else None,
        "summary": text.summary,
        "by_second": case.by_second,
        "report": slug,
    }
