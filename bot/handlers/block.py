"""/block and /unblock, for administrators of the bot."""

from __future__ import annotations

from bot.context import UpdateContext


async def block(context: UpdateContext) -> None:
    """Block a user or a chat: the bot no longer answers it."""
    await _change(context, blocked=True)


async def unblock(context: UpdateContext) -> None:
    """Unblock a user or a chat."""
    await _change(context, blocked=False)


async def _change(context: UpdateContext, *, blocked: bool) -> None:
    access, gettext = context.services.access, context.texts.gettext
    if not access.is_admin(context.user):
        await context.reply_text(gettext("This is for those who run the bot."))
        return
    try:
        number = int(context.argument)
    except ValueError:
        await context.reply_text(
            gettext("Give the Telegram number of a user or a chat: /block 123456789")
        )
        return
    if blocked and access.is_admin(number):
        await context.reply_text(gettext("Those who run the bot cannot be blocked."))
        return
    changed = await (access.block(number) if blocked else access.unblock(number))
    if not changed:
        await context.reply_text(gettext("Nothing changed for {number}.", number=number))
    elif blocked:
        await context.reply_text(gettext("{number} is not answered any more.", number=number))
    else:
        await context.reply_text(gettext("{number} is answered again.", number=number))
