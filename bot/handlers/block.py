"""/block and /unblock, for those who run the bot."""

from __future__ import annotations

from bot.context import Turn


async def block(turn: Turn) -> None:
    """Never answer a user or a chat again."""
    await _change(turn, blocked=True)


async def unblock(turn: Turn) -> None:
    """Answer a user or a chat again."""
    await _change(turn, blocked=False)


async def _change(turn: Turn, *, blocked: bool) -> None:
    access, say = turn.services.access, turn.words.say
    if not access.is_admin(turn.user):
        await turn.reply(say("This is for those who run the bot."))
        return
    try:
        who = int(turn.argument)
    except ValueError:
        await turn.reply(say("Give the Telegram number of a user or a chat: /block 123456789"))
        return
    if blocked and access.is_admin(who):
        await turn.reply(say("Those who run the bot cannot be blocked."))
        return
    changed = await (access.block(who) if blocked else access.unblock(who))
    if not changed:
        await turn.reply(say("Nothing changed for {number}.", number=who))
    elif blocked:
        await turn.reply(say("{number} is not answered any more.", number=who))
    else:
        await turn.reply(say("{number} is answered again.", number=who))
