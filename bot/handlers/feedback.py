"""“Wrong verdict?”: asks what the picture really is and whether the photo may be kept."""

from __future__ import annotations

import asyncio

from bot.context import UpdateContext
from bot.handlers import results
from bot.replies import keyboards
from bot.state.callback_data import CallbackData
from bot.state.feedback import Opinion

_TRUTHS = ("fake", "real", "unknown")


async def ask_truth(context: UpdateContext, token: str, callback: CallbackData) -> None:
    """Ask what the picture really is."""
    if await context.services.checks.get(callback.check) is None:
        await results.say_expired(context)
        return
    await context.answer_query()
    await context.reply_text(
        context.texts.gettext(
            "Thank you for looking closely. What do you know about this picture?"
        ),
        keyboards.truth(context.texts, token),
    )


async def ask_consent(
    context: UpdateContext, token: str, callback: CallbackData, truth: str
) -> None:
    """Ask whether the photo may be kept; of a user who did not send it, store the opinion only."""
    if truth not in _TRUTHS:
        await context.answer_query()
        return
    if not _owns(callback):
        await store(context, callback, truth)
        return
    await context.answer_query()
    await context.edit_text(
        context.texts.gettext(
            "May the operator keep the photo too, to find out why the verdict is wrong? Without "
            "it, only the verdict and what you said are kept. /delete removes either."
        ),
        keyboards.consent(context.texts, token, truth),
    )


async def store(context: UpdateContext, callback: CallbackData, argument: str) -> None:
    """Store the opinion, and the photo only if its owner consented. ``argument`` is the truth or
    ``truth-consent``."""
    truth, _, consent = argument.partition("-")
    checks, feedback = context.services.checks, context.services.feedback
    check = await checks.get(callback.check)
    report = check.report if check else None
    if report is None or truth not in _TRUTHS:
        await results.say_expired(context)
        return
    opinion = Opinion(
        giver=feedback.giver(context.user),
        verdict=report.verdict,
        fake_probability=report.fake_probability,
        truth=truth,
        faces=len(report.faces),
        model=f"{report.model.name} {report.model.version}",
    )
    consents = consent == "yes" and _owns(callback)  # a button's data can be forged
    photo = await checks.picture(callback.check) if consents else None
    await asyncio.to_thread(feedback.save, opinion, callback.check, photo)
    await context.answer_query()
    await context.edit_text(
        context.texts.gettext("Thank you. The operator gets what you said, and the photo.")
        if photo is not None
        else context.texts.gettext("Thank you. The operator gets what you said, without the photo.")
    )


def _owns(callback: CallbackData) -> bool:
    """Whether the user sent the photo of this check. In a group a user may see the result of
    another user's picture, because theirs is similar."""
    return callback.owner == callback.user
