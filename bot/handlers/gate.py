"""Runs before every other handler: drops the updates of users that the bot does not serve."""

from __future__ import annotations

from telegram import Update

from bot.context import Services, context_of

#: The hint that the bot does not serve everybody, which a user gets once.
_CLOSED_HINT = "closed"


async def admits(services: Services, update: Update) -> bool:
    """Whether to handle an update. In a private chat, a user who is not served is told so once."""
    user, chat = update.effective_user, update.effective_chat
    if user is None or chat is None:
        return False
    if await services.access.is_blocked(user.id, chat.id):
        return False
    if services.access.serves(user.id, chat.id):
        return True
    text = update.message.text or "" if update.message else ""
    if await services.team.serves(chat.id, user.id, text):
        return True
    context = await context_of(services, update)
    if (
        context is not None
        and not context.group
        and not await services.users.has_hint(user.id, _CLOSED_HINT)
    ):
        await context.reply_text(
            context.texts.gettext(
                "This bot is for a closed circle. If you belong to it, give its operator your "
                "number: {number}.",
                number=user.id,
            )
        )
        await services.users.mark_hint(user.id, _CLOSED_HINT)
    return False
