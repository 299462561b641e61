"""“Wrong verdict?”: what is true, whether the photo may be kept with it, thanks."""

from __future__ import annotations

import asyncio

from bot.context import Turn
from bot.handlers import results
from bot.replies import keyboards
from bot.state.callback_data import Ticket
from bot.state.feedback import Opinion

_TRUTHS = ("fake", "real", "unknown")


async def ask(turn: Turn, token: str, ticket: Ticket) -> None:
    """Ask what is true."""
    if await turn.services.checks.get(ticket.check) is None:
        await results.gone(turn)
        return
    await turn.notice()
    await turn.reply(
        turn.words.say("Thank you for looking closely. What do you know of this picture?"),
        keyboards.truth(turn.words, token),
    )


async def ask_consent(turn: Turn, token: str, ticket: Ticket, said: str) -> None:
    """Ask whether the photo may be kept, if that is theirs to say."""
    if said not in _TRUTHS:
        await turn.notice()
        return
    if not _owns(ticket):
        await keep(turn, ticket, said)
        return
    await turn.notice()
    await turn.edit(
        turn.words.say(
            "May the operator keep the photo too, to find out why the verdict is wrong? Without "
            "it, only the verdict and what you said are kept. /delete removes either."
        ),
        keyboards.consent(turn.words, token, said),
    )


async def keep(turn: Turn, ticket: Ticket, argument: str) -> None:
    """Keep what was said, with the photo only if that was agreed to."""
    said, _, agreed = argument.partition("-")
    checks, feedback = turn.services.checks, turn.services.feedback
    report = await checks.report(ticket.check)
    if report is None or said not in _TRUTHS:
        await results.gone(turn)
        return
    opinion = Opinion(
        giver=feedback.giver(turn.user),
        verdict=report.verdict,
        fake_probability=report.fake_probability,
        truth=said,
        faces=len(report.faces),
        model=f"{report.model.name} {report.model.version}",
    )
    agreed = agreed if _owns(ticket) else ""  # whatever a button's data may claim
    photo = await checks.picture(ticket.check) if agreed == "yes" else None
    await asyncio.to_thread(feedback.keep, opinion, ticket.check, photo)
    await turn.notice()
    await turn.edit(
        turn.words.say("Thank you. The operator gets what you said, and the photo.")
        if photo is not None
        else turn.words.say("Thank you. The operator gets what you said, without the photo.")
    )


def _owns(ticket: Ticket) -> bool:
    """Whether the photo is of whoever got the answer: in a group they may have been shown the
    result of another's, of a picture like theirs."""
    return ticket.owner == ticket.asker
