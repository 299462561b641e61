"""A team at its desk, as most tests need it: people, and cases without a picture."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from desk.actors import DeskActor, machine_of
from desk.cases.opening import open_case
from desk.cases.opinions import Judgement
from desk.service import Desk
from desk.vocabulary import Confidence, HumanVerdict
from unmask.errors import UnmaskError
from unmask.permissions import Role
from unmask.report import Verdict

PASSWORD = "of the tests only"


@dataclass
class Play:
    """The desk, one team's people by name, and an admin of another team."""

    desk: Desk
    slug: str
    ada: DeskActor
    bob: DeskActor
    cleo: DeskActor
    dan: DeskActor
    vera: DeskActor
    foreign: DeskActor

    @classmethod
    async def begin(cls, desk: Desk, slug: str) -> Play:
        people = {}
        for team_slug in (slug, f"{slug}-x"):
            team = await desk.teams.create(team_slug)
            machine = machine_of(team.id, team.slug)
            roles = {"ada": Role.ADMIN, "bob": Role.CHECKER, "cleo": Role.CHECKER}
            roles |= {"dan": Role.CHECKER, "vera": Role.VIEWER}
            for name, role in roles.items() if team_slug == slug else [("foreign", Role.ADMIN)]:
                token = await desk.links.invite(machine, role)
                person_id = await desk.links.join(
                    token, name=name.title(), login=f"{name}-{slug}", password=PASSWORD
                )
                people[name] = await desk.members.actor_of(person_id, team_slug)
        return cls(desk, slug, **people)

    @property
    def machine(self) -> DeskActor:
        return machine_of(self.ada.team_id, self.slug)

    async def case(self, probability: float | None = 0.9) -> int:
        """The number of a new case, which the machine calls fake by its probability."""
        verdict = Verdict.NO_FACE if probability is None else Verdict.REAL
        verdict = Verdict.FAKE if (probability or 0) > 0.5 else verdict
        async with self.desk.changes.begin(self.machine) as change:
            return (await open_case(change, verdict, probability)).number

    async def decided(self, verdict: HumanVerdict = HumanVerdict.MANIPULATED) -> int:
        number = await self.case()
        await self.desk.opinions.decide(self.bob, number, judgement(verdict))
        return number

    async def rules(self, **settings: object) -> None:
        """Set some of the team's settings."""
        await self.desk.teams.edit(self.ada, settings=settings)


def judgement(
    verdict: HumanVerdict = HumanVerdict.MANIPULATED,
    confidence: Confidence = Confidence.HIGH,
    reasoning: str = "The ears do not match.",
) -> Judgement:
    return Judgement(verdict=verdict, confidence=confidence, reasoning=reasoning)


class Refused:
    """Asserts that a block raises an error with one of these codes."""

    def __init__(self, *codes: str) -> None:
        self._codes = codes
        self._raises = pytest.raises(UnmaskError)

    def __enter__(self) -> Refused:
        self._info = self._raises.__enter__()
        return self

    def __exit__(self, *exception: object) -> bool:
        caught = self._raises.__exit__(*exception)  # type: ignore[arg-type]
        if caught:
            assert self.error.code in self._codes, self.error.as_json()
        return caught

    @property
    def error(self) -> UnmaskError:
        return self._info.value


def refused(*codes: str) -> Refused:
    return Refused(*codes)
