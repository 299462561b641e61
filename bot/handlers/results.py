"""The buttons that show more of a result."""

from __future__ import annotations

import asyncio
from typing import Any

from bot.context import Turn
from bot.i18n import later
from bot.replies import keyboards
from bot.replies.keyboards import Action
from bot.replies.messages import duration
from bot.replies.photo import as_photo
from bot.state.callback_data import Ticket
from bot.state.reply_queue import Item, Note, Order
from unmask.errors import UnmaskError

_FILES = {Action.MASK: "mask.png", Action.HEATMAP: "heatmap.png", Action.ORIGINAL: "annotated.jpg"}
_CAPTIONS = {
    Action.MASK: later("Mask: white is the region that looks manipulated."),
    Action.HEATMAP: later("Heatmap: the brighter, the more a place looks manipulated."),
    Action.ORIGINAL: later("The annotated picture in its original size."),
}


async def picture(turn: Turn, action: Action, ticket: Ticket) -> None:
    """Send the mask, the heatmap, or the annotated picture as a file."""
    data = await turn.services.checks.result_picture(ticket.check, _FILES[action])
    if data is None:
        await gone(turn)
        return
    caption = turn.words.say(_CAPTIONS[action])
    if action is Action.MASK and await _is_unmarked(turn, ticket):
        caption = turn.words.say("Mask: nothing is marked in this picture.")
    await turn.notice()
    bot, name = turn.services.bot, f"unmask-{_FILES[action]}"
    place: dict[str, Any] = {"reply_parameters": turn.quoting, "message_thread_id": turn.thread}
    if action is Action.ORIGINAL:
        await turn.try_again(
            lambda: bot.send_document(turn.chat, data, caption, filename=name, **place)
        )
        return
    photo, _ = await asyncio.to_thread(as_photo, data)
    await turn.try_again(lambda: bot.send_photo(turn.chat, photo, caption, filename=name, **place))


async def page(turn: Turn, token: str, ticket: Ticket, argument: str) -> None:
    """Turn an album's buttons to those of one picture, or back."""
    say = turn.words.say
    if not argument:
        keyboard = keyboards.below_album(token, list(ticket.numbers))
        text = say("Mask, heatmap and more, for each picture:")
    else:
        at = int(argument) if argument.isdecimal() else len(ticket.pages)
        page_token = ticket.pages[at] if at < len(ticket.pages) else ""
        one = await turn.services.tickets.find(page_token)
        if one is None:
            await gone(turn)
            return
        keyboard = keyboards.below_picture(
            turn.words,
            page_token,
            report_url=keyboards.report_url(turn.services.settings.public_url, one.check),
            anew=bool(one.item and one.item.alike),
            album=token,
        )
        text = say("Picture {number}", number=ticket.numbers[at])
    await turn.notice()
    await turn.edit(text, keyboard)


async def anew(turn: Turn, ticket: Ticket) -> None:
    """Examine what looked like an earlier picture for itself."""
    if ticket.item is None or turn.query is None:
        await gone(turn)
        return
    limited = await turn.services.limits.picture(turn.user, turn.chat)
    if limited is not None:
        await wait(turn, limited)
        return
    sent = ticket.item
    order = Order(
        id=f"{turn.chat}.{sent.message}.{turn.query.id}",
        chat=turn.chat,
        group=turn.group,
        thread=turn.thread,
        reply_to=sent.message,
        asker=turn.user,
        language=turn.words.language,
        items=[_as_sent(sent)],
        anew=True,
    )
    await turn.notice(turn.words.say("It is examined anew."))
    await turn.services.pipeline.take(order, turn.update_id)


async def wait(turn: Turn, limited: UnmaskError) -> None:
    """Say that there was too much of it, and how long to wait."""
    time = duration(turn.words, limited.detail["retry_after"])
    await turn.notice(turn.words.say("Please wait {wait}.", wait=time), alert=True)


async def gone(turn: Turn) -> None:
    """Say politely that there is nothing any more."""
    await turn.notice(
        turn.words.say("This result is no longer kept. Send the picture again."), alert=True
    )


def _as_sent(item: Item) -> Item:
    """A picture without what became of it; how it was taken from what came is still so."""
    notes = [note for note in item.notes if note is not Note.SHRUNK]
    became = {"check": "", "owner": 0, "earlier": None, "alike": False, "error": None}
    return item.model_copy(update={**became, "notes": notes})


async def _is_unmarked(turn: Turn, ticket: Ticket) -> bool:
    report = await turn.services.checks.report(ticket.check)
    return report is not None and all(face.tampered_fraction == 0 for face in report.faces)
