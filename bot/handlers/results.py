"""The buttons that show more of a result."""

from __future__ import annotations

import asyncio
from typing import Any

from bot.context import UpdateContext
from bot.replies import keyboards
from bot.replies.keyboards import Action
from bot.replies.photo import as_photo
from bot.state.callback_data import CallbackData
from bot.state.reply_queue import Item, Outcome, Reply
from unmask.errors import UnmaskError
from unmask.i18n import gettext_noop
from unmask.wording.units import duration

_FILES = {Action.MASK: "mask.png", Action.HEATMAP: "heatmap.png", Action.ORIGINAL: "annotated.jpg"}
_CAPTIONS = {
    Action.MASK: gettext_noop("Mask: white is the region that looks manipulated."),
    Action.HEATMAP: gettext_noop("Heatmap: the brighter, the more a place looks manipulated."),
    Action.ORIGINAL: gettext_noop("The annotated picture in its original size."),
}


async def send_picture(context: UpdateContext, action: Action, callback: CallbackData) -> None:
    """Send the mask or the heatmap as a photo, or the annotated picture as a file."""
    data = await context.services.checks.result(callback.check, _FILES[action])
    if data is None:
        await say_expired(context)
        return
    caption = context.texts.gettext(_CAPTIONS[action])
    if action is Action.MASK and await _has_empty_mask(context, callback):
        caption = context.texts.gettext("Mask: nothing is marked in this picture.")
    await context.answer_query()
    bot, name = context.services.bot, f"unmask-{_FILES[action]}"
    where: dict[str, Any] = {
        "reply_parameters": context.reply_parameters,
        "message_thread_id": context.thread,
    }
    if action is Action.ORIGINAL:
        await context.retry(
            lambda: bot.send_document(context.chat, data, caption, filename=name, **where)
        )
        return
    photo, _ = await asyncio.to_thread(as_photo, data)
    await context.retry(
        lambda: bot.send_photo(context.chat, photo, caption, filename=name, **where)
    )


async def show_page(
    context: UpdateContext, token: str, callback: CallbackData, argument: str
) -> None:
    """Replace an album's buttons by those of one picture (its index), or go back (empty)."""
    gettext = context.texts.gettext
    if not argument:
        keyboard = keyboards.below_album(token, list(callback.numbers))
        text = gettext("Mask, heatmap and more, for each picture:")
    else:
        index = int(argument) if argument.isdecimal() else len(callback.pages)
        page_token = callback.pages[index] if index < len(callback.pages) else ""
        page = await context.services.callbacks.find(page_token)
        if page is None:
            await say_expired(context)
            return
        keyboard = keyboards.below_picture(
            context.texts,
            page_token,
            report_url=keyboards.report_url(context.services.settings.public_url, page.check),
            examine_again=page.item is not None,
            album=token,
        )
        text = gettext("Picture {number}", number=callback.numbers[index])
    await context.answer_query()
    await context.edit_text(text, keyboard)


async def examine_again(context: UpdateContext, callback: CallbackData) -> None:
    """Examine a picture itself, after the result of a similar one was shown."""
    if callback.item is None or context.query is None:
        await say_expired(context)
        return
    limited = await context.services.limits.picture(context.user, context.chat)
    if limited is not None:
        await say_wait(context, limited)
        return
    sent, phash = callback.item.sent, callback.item.outcome.phash
    reply = Reply(
        id=f"{context.chat}.{sent.message}.{context.query.id}",
        chat=context.chat,
        group=context.group,
        thread=context.thread,
        reply_to=sent.message,
        user=context.user,
        language=context.texts.language,
        items=[Item(sent=sent, outcome=Outcome(phash=phash))],
        ignore_history=True,
    )
    await context.answer_query(context.texts.gettext("It is examined again."))
    await context.services.pipeline.take(reply, context.update_id)


async def say_wait(context: UpdateContext, limited: UnmaskError) -> None:
    """Say that a limit was reached, and how long to wait."""
    wait = duration(context.texts, limited.detail["retry_after"])
    await context.answer_query(context.texts.gettext("Please wait {wait}.", wait=wait), alert=True)


async def say_expired(context: UpdateContext) -> None:
    """Say that the result no longer exists."""
    await context.answer_query(
        context.texts.gettext("This result is no longer kept. Send the picture again."), alert=True
    )


async def _has_empty_mask(context: UpdateContext, callback: CallbackData) -> bool:
    check = await context.services.checks.get(callback.check)
    report = check.report if check else None
    return report is not None and all(face.tampered_fraction == 0 for face in report.faces)
