"""/stats, for those who run the bot."""

from __future__ import annotations

from bot.context import Turn


async def stats(turn: Turn) -> None:
    """The queue, what is owed, and sums since the beginning."""
    services = turn.services
    if not services.access.is_admin(turn.user):
        await turn.reply(turn.words.say("This is for those who run the bot."))
        return
    queue, owed = await services.checks.stats(), await services.book.count()
    sums = await services.counters.sums()
    wait = queue.estimated_wait_seconds
    lines = [
        turn.words.say("Workers: {number}", number=queue.workers),
        turn.words.say(
            "Pictures waiting: {waiting}, in hand: {running}",
            waiting=queue.waiting,
            running=queue.running,
        ),
        turn.words.say("Expected wait: {wait} s", wait="?" if wait is None else f"{wait:.1f}"),
        turn.words.say("Answers owed: {number}", number=owed),
        "",
        *(f"{name}: {value}" for name, value in sums.items()),
    ]
    await turn.reply("\n".join(lines))
