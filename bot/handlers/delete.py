"""/delete and the button of that name: delete one result, or everything stored about a user."""

from __future__ import annotations

import asyncio

from bot.context import Services, UpdateContext
from bot.handlers import linking, results
from bot.replies import keyboards
from bot.state.callback_data import CallbackData


async def ask_everything(context: UpdateContext) -> None:
    """/delete: ask whether to delete everything."""
    await context.reply_text(
        context.texts.gettext(
            "This deletes your pictures, their results, what you said about verdicts, your "
            "language, and your link to a team. It cannot be undone."
        ),
        keyboards.removal(context.texts, "", context.user, one=False),
    )


async def ask_what(context: UpdateContext, token: str) -> None:
    """The button below a result: ask whether to delete that result or everything."""
    await context.answer_query()
    await context.reply_text(
        context.texts.gettext("What shall be deleted? It cannot be undone."),
        keyboards.removal(context.texts, token, context.user, one=True),
    )


async def delete_one(context: UpdateContext, token: str, callback: CallbackData) -> None:
    """Delete one result. If it is another user's, only the user's buttons for it are deleted."""
    services = context.services
    check = await services.checks.get(callback.check) if callback.check else None
    if check is None:
        await results.say_expired(context)
        return
    if context.user != callback.user or callback.user == callback.owner:
        await services.checks.delete(callback.check)
        await services.history.forget(callback.chat, callback.check)
        await asyncio.to_thread(services.feedback.forget_photo, callback.check)
        await services.users.disown(callback.owner, f"check:{callback.chat}:{callback.check}")
        await _forget_files(services, callback)
    await services.callbacks.remove(token)
    await services.users.disown(callback.user, f"ticket:{token}")
    await context.answer_query()
    await context.edit_text(
        context.texts.gettext(
            "Deleted: this photo and its result. The messages here are yours to delete."
        )
    )


async def delete_everything(context: UpdateContext, user: str) -> None:
    """The button that deletes everything; only the user whose number it holds may press it."""
    if user != str(context.user):
        await context.answer_query(
            context.texts.gettext("This button is for somebody else."), alert=True
        )
        return
    count = await forget(context.services, context.user)
    await context.answer_query()
    await context.edit_text(
        context.texts.ngettext(
            "Deleted: {number} picture with its result, and everything else stored about you.",
            "Deleted: {number} pictures with their results, and everything else stored about you.",
            count,
        )
    )


async def forget(services: Services, user: int) -> int:
    """Delete everything stored about a user; returns how many pictures that were."""
    count = await services.pipeline.forget(user)
    for thing in await services.users.owned(user):
        kind, _, name = thing.partition(":")
        if kind == "check":
            chat, _, check = name.partition(":")
            await services.history.forget(int(chat), check)
            count += await services.checks.delete(check)
        elif kind == "ticket":
            await services.callbacks.remove(name)
        else:
            await services.history.forget_file(name)
    await linking.end_link(services, user)
    await asyncio.to_thread(services.feedback.forget, user)
    await services.users.forget(user)
    return count


async def _forget_files(services: Services, callback: CallbackData) -> None:
    """Forget the Telegram files whose bytes a deleted check held."""
    things = (thing.partition(":") for thing in await services.users.owned(callback.owner))
    files = [name for kind, _, name in things if kind == "file"]
    for unique in await services.history.files_of(callback.check, files):
        await services.history.forget_file(unique)
        await services.users.disown(callback.owner, f"file:{unique}")
