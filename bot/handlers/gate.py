"""Before every other handler: who is not served, and who is never answered."""

from __future__ import annotations

from telegram import Update

from bot.context import Services, turn_of


async def admits(services: Services, update: Update) -> bool:
    """Whether an update is dealt with. In a private chat, who is not served is told so once."""
    user, chat = update.effective_user, update.effective_chat
    if user is None or chat is None:
        return False
    if await services.access.is_blocked(user.id, chat.id):
        return False
    if services.access.serves(user.id, chat.id):
        return True
    turn = await turn_of(services, update)
    if (
        turn is not None
        and not turn.group
        and not await services.people.was_told(user.id, "closed")
    ):
        await turn.reply(
            turn.words.say(
                "This bot is for a closed circle. If you belong to it, give its operator your "
                "number: {number}.",
                number=user.id,
            )
        )
        await services.people.tell(user.id, "closed")
    return False
