"""What people do with a case, in one table: the API takes each as JSON, the pages as a form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from desk.actors import DeskActor
from desk.cases import CaseRecord, Judgement
from desk.service import Desk
from desk.vocabulary import Confidence, DismissReason, HumanVerdict
from server.desk.fields import CaseNumber
from unmask.permissions import Permission

#: Acts on a case of an expected version (None: any); returns the case as it then stands.
Run = Callable[[Desk, DeskActor, int, Any, int | None], Awaitable[CaseRecord]]


class _Fields(BaseModel):
    """``version`` is the one that the sender saw; a form sends it as a field."""

    model_config = ConfigDict(extra="ignore")

    version: int | None = Field(None, ge=0, le=10**9)


class Nothing(_Fields):
    """No field at all."""


class TakeOver(_Fields):
    """Taking a case from the person who holds it."""

    confirmed: bool = False


class Opinion(_Fields):
    """A verdict, how sure it is, why, and links to evidence."""

    verdict: HumanVerdict
    confidence: Confidence = Confidence.MEDIUM
    reasoning: str
    evidence_links: tuple[str, ...] = ()
    score_was_shown: bool = True

    def judgement(self) -> Judgement:
        """The opinion as the desk takes it."""
        values = self.model_dump(exclude={"version"})
        return Judgement.model_validate(values)


class Reason(_Fields):
    """Why, in the person's words."""

    reason: str = ""


class Dismissal(_Fields):
    """Why a case is put aside."""

    reason: DismissReason
    note: str = ""


class Publication(_Fields):
    """What the public report shows. ``note`` says what changed since the last version."""

    reasoning: str | None = None
    note: str = ""
    show_picture: bool = False
    show_appearances: bool = False


class Other(_Fields):
    """Another case."""

    other: CaseNumber


@dataclass(frozen=True)
class CaseAction:
    """One action: its fields, what carries it out, and what an actor needs for it."""

    title: str
    about: str
    fields: type[_Fields]
    run: Run
    needs: Permission = Permission.WORK_ON_CASE


async def _claim(desk: Desk, actor: DeskActor, case: int, _: Nothing, on: int | None) -> CaseRecord:
    return await desk.claims.claim(actor, case, on)


async def _extend(
    desk: Desk, actor: DeskActor, case: int, _: Nothing, __: int | None
) -> CaseRecord:
    return await desk.claims.extend(actor, case)


async def _release(
    desk: Desk, actor: DeskActor, case: int, _: Nothing, on: int | None
) -> CaseRecord:
    return await desk.claims.release(actor, case, on)


async def _take_over(
    desk: Desk, actor: DeskActor, case: int, fields: TakeOver, _: int | None
) -> CaseRecord:
    return await desk.claims.take_over(actor, case, holder_is_present=not fields.confirmed)


async def _decide(
    desk: Desk, actor: DeskActor, case: int, fields: Opinion, on: int | None
) -> CaseRecord:
    return await desk.opinions.decide(actor, case, fields.judgement(), on)


async def _second(
    desk: Desk, actor: DeskActor, case: int, fields: Opinion, on: int | None
) -> CaseRecord:
    return await desk.opinions.give_second(actor, case, fields.judgement(), on)


async def _settle(
    desk: Desk, actor: DeskActor, case: int, fields: Opinion, on: int | None
) -> CaseRecord:
    return await desk.opinions.settle(actor, case, fields.judgement(), on)


async def _ask_second(
    desk: Desk, actor: DeskActor, case: int, _: Nothing, on: int | None
) -> CaseRecord:
    return await desk.opinions.ask_for_second(actor, case, on)


async def _reopen(
    desk: Desk, actor: DeskActor, case: int, fields: Reason, on: int | None
) -> CaseRecord:
    return await desk.opinions.reopen(actor, case, fields.reason, on)


async def _dismiss(
    desk: Desk, actor: DeskActor, case: int, fields: Dismissal, on: int | None
) -> CaseRecord:
    return await desk.closing.dismiss(actor, case, fields.reason, fields.note, on)


async def _restore(
    desk: Desk, actor: DeskActor, case: int, _: Nothing, on: int | None
) -> CaseRecord:
    return await desk.closing.restore(actor, case, on)


async def _publish(
    desk: Desk, actor: DeskActor, case: int, fields: Publication, on: int | None
) -> CaseRecord:
    record, _ = await desk.publishing.publish(
        actor,
        case,
        reasoning=fields.reasoning or None,
        note=fields.note,
        show_picture=fields.show_picture,
        show_appearances=fields.show_appearances,
        version=on,
    )
    return record


async def _withdraw(
    desk: Desk, actor: DeskActor, case: int, fields: Reason, on: int | None
) -> CaseRecord:
    return await desk.publishing.withdraw(actor, case, fields.reason, on)


async def _join(
    desk: Desk, actor: DeskActor, case: int, fields: Other, on: int | None
) -> CaseRecord:
    return await desk.joining.join(actor, case, fields.other, on)


async def _refuse(
    desk: Desk, actor: DeskActor, case: int, fields: Other, _: int | None
) -> CaseRecord:
    await desk.joining.refuse(actor, case, fields.other)
    return await desk.reading.get(actor, case)


#: Each action by its name in addresses.
ACTIONS: dict[str, CaseAction] = {
    "claim": CaseAction(
        "Claim a case", "The case is the person's until its claim lapses.", Nothing, _claim
    ),
    "extend": CaseAction("Hold a claim longer", "A sign of work on the case.", Nothing, _extend),
    "release": CaseAction("Give a case back", "Its claim ends.", Nothing, _release),
    "take-over": CaseAction(
        "Take a case over",
        "From the person who holds it, who is told. Set `confirmed` to do so all the same.",
        TakeOver,
        _take_over,
    ),
    "decide": CaseAction(
        "Decide a case", "The first opinion of a round; a second one may be due.", Opinion, _decide
    ),
    "second": CaseAction(
        "Give a second opinion", "Without having seen the first.", Opinion, _second
    ),
    "settle": CaseAction("Settle a tie", "Between two opinions that differ.", Opinion, _settle),
    "ask-second": CaseAction(
        "Ask for a second opinion", "On a case that is decided.", Nothing, _ask_second
    ),
    "reopen": CaseAction("Reopen a case", "A new round begins; say why.", Reason, _reopen),
    "dismiss": CaseAction("Dismiss a case", "Put it aside without a verdict.", Dismissal, _dismiss),
    "restore": CaseAction("Restore a case", "A dismissed case is new again.", Nothing, _restore),
    "publish": CaseAction(
        "Publish a case",
        "As a report that anybody may read.",
        Publication,
        _publish,
        Permission.PUBLISH,
    ),
    "withdraw": CaseAction(
        "Withdraw a report", "Its page says so, and why.", Reason, _withdraw, Permission.PUBLISH
    ),
    "join": CaseAction("Join a case into another", "Both show one picture.", Other, _join),
    "refuse-suggestion": CaseAction(
        "Refuse a suggestion", "The two cases do not show one picture.", Other, _refuse
    ),
}
