"""Opens a case: the next number of its team, counted and told in the history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desk.cases.work import rank_of
from desk.changes import Change
from desk.models import Case, CaseText
from desk.vocabulary import Action, CaseState, Review
from unmask.report import Verdict, shown_percent


def suspicion_of(probability: float | None) -> int:
    """The machine's per cent as people see it, -1 for a picture without a face."""
    return -1 if probability is None else shown_percent(probability)


async def open_case(
    change: Change,
    machine_verdict: Verdict,
    fake_probability: float | None,
    data: Mapping[str, Any] | None = None,
) -> Case:
    """A new case without a picture, in a change that is under way."""
    team = change.team
    case = Case(
        team_id=change.team_id,
        number=team.next_number,
        state=CaseState.NEW,
        review=Review.NONE,
        round=1,
        priority=1,
        suspicion=suspicion_of(fake_probability),
        machine_verdict=machine_verdict,
        sensitive=False,
        legal_hold=False,
        sightings=0,
        by_second=False,
        created=change.now,
        updated=change.now,
    )
    case.rank = rank_of(case)
    team.next_number += 1
    change.session.add(case)
    await change.session.flush()
    empty = CaseText(
        case_id=case.id, team_id=change.team_id, title="", claim="", summary="", folded=""
    )
    change.session.add(empty)
    await change.count({f"state:{CaseState.NEW}": 1})
    told = {"machine_verdict": str(machine_verdict), **(data or {})}
    await change.record(Action.CASE_CREATED, case, told)
    return case
