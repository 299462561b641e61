"""Adds a sighting in a change that is under way: to the case of its picture, or to a new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from desk.cases.opening import open_case
from desk.cases.opinions import begin_round
from desk.cases.work import rank_of, set_quietly
from desk.changes import Change
from desk.models import Case, Notice, Picture, Report, Sighting, Suggestion
from desk.pictures.looks import Appearance, Near, bands, is_near_enough, near_pictures, signed
from desk.pictures.lookup import why_earlier
from desk.text import host_of
from desk.vocabulary import (
    DECIDED_STATES,
    Action,
    CaseState,
    Match,
    NoticeKind,
    SuggestionState,
)
from unmask.report import Door
from unmask.report import Report as MachineReport

#: With so many sightings in an hour a case is trending: one notice, and none a sighting.
TRENDING, TRENDING_TIME = 20, timedelta(hours=1)


class UncomparedError(Exception):
    """A near picture has come that the new one was not compared with."""


@dataclass(frozen=True)
class Arrival:
    """A picture that comes to a team. ``store_key`` is where its files lie (None: the team has the
    file already), ``copies`` tells of pictures' numbers whether the new one is a copy of them."""

    report: MachineReport
    size: int
    appearance: Appearance
    store_key: str | None
    copies: Mapping[int, bool]
    source: Mapping[str, Any]


async def add_sighting(change: Change, arrival: Arrival) -> tuple[Sighting, bool]:
    """Add a sighting; returns it, and whether the arrival's files are used.

    Raises :class:`UncomparedError`, which undoes the change.
    """
    picture = await change.session.scalar(
        sa.select(Picture).where(
            Picture.team_id == change.team_id, Picture.sha256 == arrival.report.sha256
        )
    )
    if picture is not None:
        case = await change.session.get_one(Case, picture.case_id)
        return await _add(change, case, picture, arrival, Match.SAME_FILE, 0), False
    if arrival.store_key is None:
        raise UncomparedError  # its file was erased a moment ago
    near = await _near(change, arrival)
    joined = next((one for one in near if arrival.copies.get(one.picture_id)), None)
    if joined is not None:
        case, match = await change.session.get_one(Case, joined.case_id), Match.NEAR
    else:
        report = arrival.report
        case = await open_case(change, report.verdict, report.fake_probability)
        match = Match.NEW
    picture = await _add_picture(change, case, arrival)
    distance = joined.distance if joined is not None else None
    sighting = await _add(change, case, picture, arrival, match, distance)
    await _suggest(change, case, [one for one in near if one is not joined])
    await _suggest(change, case, await _near_mirrored(change, arrival), mirrored=True)
    return sighting, True


async def _near(change: Change, arrival: Arrival) -> list[Near]:
    if arrival.appearance.is_plain:
        return []
    near = await near_pictures(change.session, change.team_id, arrival.appearance.look.bits)
    if any(is_near_enough(one) and one.picture_id not in arrival.copies for one in near):
        raise UncomparedError
    return near


async def _near_mirrored(change: Change, arrival: Arrival) -> list[Near]:
    """The cases that the picture's mirror image is near to. It is not compared any further: people
    say whether a picture that somebody turned around is the same one."""
    if arrival.appearance.is_plain:
        return []
    near = await near_pictures(change.session, change.team_id, arrival.appearance.mirrored)
    return [one for one in near if is_near_enough(one)]


async def _add_picture(change: Change, case: Case, arrival: Arrival) -> Picture:
    report, look = arrival.report, arrival.appearance.look
    first, second, third, fourth = bands(look.bits)
    picture = Picture(
        team_id=change.team_id,
        case_id=case.id,
        sha256=report.sha256,
        width=look.width,
        height=look.height,
        format=report.image.format[:8],
        size=arrival.size,
        phash=signed(look.bits),
        b0=first,
        b1=second,
        b2=third,
        b3=fourth,
        is_plain=arrival.appearance.is_plain,
        store_key=arrival.store_key,
        created=change.now,
    )
    change.session.add(picture)
    await change.session.flush()
    if case.picture_id is None:
        case.picture_id = picture.id
    change.session.add(
        Report(
            team_id=change.team_id,
            picture_id=picture.id,
            model_version=report.model.version[:40],
            model_sha256=report.model.sha256,
            verdict=report.verdict,
            fake_probability=report.fake_probability,
            report=report.model_dump(mode="json", exclude={"id", "pictures", "timings_ms"}),
            created=change.now,
        )
    )
    return picture


async def _add(
    change: Change,
    case: Case,
    picture: Picture,
    arrival: Arrival,
    match: Match,
    distance: int | None,
) -> Sighting:
    source = arrival.source
    page: str | None = source.get("page_url")
    await _reopen_if_it_must_not_answer(change, case, page)
    sighting = Sighting(
        team_id=change.team_id,
        case_id=case.id,
        picture_id=picture.id,
        door=Door(source["door"]),
        match=match,
        distance=distance,
        page_url=page,
        page_host=host_of(page),
        picture_url=source.get("picture_url"),
        channel=source.get("channel"),
        note=source.get("note"),
        sent_by=change.actor.reference,
        seen_at=change.now,
    )
    change.session.add(sighting)
    await change.session.flush()
    count = case.sightings + 1
    rank = rank_of(case, count)
    await set_quietly(change, case, sightings=count, last_sighting_at=change.now, rank=rank)
    data = {"match": str(match), "door": str(sighting.door), "sighting": sighting.id}
    await change.record(Action.SIGHTING_ADDED, case, data)
    if match is not Match.NEW:
        await _tell_watchers(change, case)
    return sighting


async def _reopen_if_it_must_not_answer(change: Change, case: Case, page: str | None) -> None:
    """Make a decided case new where its verdict is too old, or about another context.

    A published one stays: what is published changes by people alone. Its watchers are told.
    """
    if case.state not in DECIDED_STATES or case.joined_into is not None:
        return
    earlier = await why_earlier(change.session, case, page, change.now)
    if earlier is None:
        return
    if case.state is CaseState.DECIDED:
        was = {"state": str(case.state), "verdict": str(case.verdict)}
        await begin_round(change, case)
        await change.record(Action.CASE_REOPENED, case, {"was": was, "why": earlier})
    await change.notify(await change.watchers(case), NoticeKind.REOPENED, case)


async def _tell_watchers(change: Change, case: Case) -> None:
    """Tell those who watch, each once until it is read; of a flood only that there is one."""
    query = sa.select(sa.func.count()).where(
        Sighting.case_id == case.id, Sighting.seen_at > change.now - TRENDING_TIME
    )
    lately = await change.session.scalar(query) or 0
    if lately > TRENDING:
        return
    kind = NoticeKind.TRENDING if lately == TRENDING else NoticeKind.SEEN_AGAIN
    told = sa.select(Notice.person_id).where(
        Notice.case_id == case.id, Notice.kind == kind, Notice.read_at.is_(None)
    )
    already = set(await change.session.scalars(told))
    await change.notify(await change.watchers(case) - already, kind, case)


async def _suggest(change: Change, case: Case, near: list[Near], *, mirrored: bool = False) -> None:
    """Suggest to people that cases show one picture, unless they have said that it does not."""
    for one in near:
        if one.case_id == case.id:
            continue
        low, high = sorted((case.id, one.case_id))
        known = await change.session.scalar(
            sa.select(Suggestion.id).where(
                Suggestion.team_id == change.team_id,
                Suggestion.case_a == low,
                Suggestion.case_b == high,
            )
        )
        if known is None:
            change.session.add(
                Suggestion(
                    team_id=change.team_id,
                    case_a=low,
                    case_b=high,
                    distance=one.distance,
                    mirrored=mirrored,
                    state=SuggestionState.OPEN,
                    created=change.now,
                )
            )
            other = await change.session.get_one(Case, one.case_id)
            data = {"other": other.number, "distance": one.distance}
            if mirrored:
                data["mirrored"] = True
            await change.record(Action.SUGGESTION_MADE, case, data)
