"""/delete and the button of that name: one result, or everything that is kept of a user."""

from __future__ import annotations

import asyncio

from bot.context import Services, Turn
from bot.handlers import results
from bot.replies import keyboards
from bot.state.callback_data import Ticket


async def ask(turn: Turn) -> None:
    """/delete: ask whether everything is meant."""
    await turn.reply(
        turn.words.say(
            "This deletes your pictures, their results, what you said of verdicts, and your "
            "language. It cannot be undone."
        ),
        keyboards.removal(turn.words, "", turn.user, one=False),
    )


async def one(turn: Turn, token: str, ticket: Ticket, *, sure: bool) -> None:
    """The button below a result: ask what is meant, then delete that result."""
    if not sure:
        await turn.notice()
        await turn.reply(
            turn.words.say("What shall be deleted? It cannot be undone."),
            keyboards.removal(turn.words, token, turn.user, one=True),
        )
        return
    services = turn.services
    kept = await services.checks.get(ticket.check) if ticket.check else None
    if kept is None:
        await results.gone(turn)
        return
    if turn.user == ticket.asker != ticket.owner:  # an earlier result, and somebody else's
        await services.tickets.drop(token)
    else:
        await services.checks.delete(ticket.check)
        await services.past.forget(ticket.chat, ticket.check)
        await asyncio.to_thread(services.feedback.forget_photo, ticket.check)
        await services.tickets.drop(token)
        await services.people.disown(ticket.owner, f"check:{ticket.chat}:{ticket.check}")
        await _forget_files(services, ticket)
    await services.people.disown(ticket.asker, f"ticket:{token}")
    await turn.notice()
    await turn.edit(
        turn.words.say("Deleted: this photo and its result. The messages here are yours to delete.")
    )


async def everything(turn: Turn, user: str) -> None:
    """The button that deletes all; it works for the one whose number it holds."""
    if user != str(turn.user):
        await turn.notice(turn.words.say("This button is for somebody else."), alert=True)
        return
    count = await forget(turn.services, turn.user)
    await turn.notice()
    await turn.edit(
        turn.words.count(
            "Deleted: {number} picture with its result, and all else that was kept of you.",
            "Deleted: {number} pictures with their results, and all else that was kept of you.",
            count,
        )
    )


async def _forget_files(services: Services, ticket: Ticket) -> None:
    """Forget the files of Telegram that a deleted check was of."""
    owned = (thing.partition(":") for thing in await services.people.owned(ticket.owner))
    files = [name for kind, _, name in owned if kind == "file"]
    for unique in await services.past.files_of(ticket.check, files):
        await services.past.forget_file(unique)
        await services.people.disown(ticket.owner, f"file:{unique}")


async def forget(services: Services, user: int) -> int:
    """Remove every trace of a user; how many pictures that were."""
    count = await services.pipeline.forget(user)
    for thing in await services.people.owned(user):
        kind, _, name = thing.partition(":")
        if kind == "check":
            chat, _, check = name.partition(":")
            await services.past.forget(int(chat), check)
            count += await services.checks.delete(check)
        elif kind == "ticket":
            await services.tickets.drop(name)
        else:
            await services.past.forget_file(name)
    await asyncio.to_thread(services.feedback.forget, user)
    await services.people.forget(user)
    return count
