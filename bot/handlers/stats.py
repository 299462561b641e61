"""/stats, for administrators of the bot."""

from __future__ import annotations

from bot.context import UpdateContext


async def stats(context: UpdateContext) -> None:
    """Reply with the state of the queue, the number of owed replies, and the sums."""
    services = context.services
    if not services.access.is_admin(context.user):
        await context.reply_text(context.texts.gettext("This is for those who run the bot."))
        return
    queue, owed = await services.checks.stats(), await services.replies.count()
    sums = await services.counters.sums()
    wait = queue.estimated_wait_seconds
    lines = [
        context.texts.gettext("Workers: {number}", number=queue.workers),
        context.texts.gettext(
            "Pictures waiting: {waiting}, in hand: {running}",
            waiting=queue.waiting,
            running=queue.running,
        ),
        context.texts.gettext(
            "Expected wait: {wait} s", wait="?" if wait is None else f"{wait:.1f}"
        ),
        context.texts.gettext("Answers owed: {number}", number=owed),
        "",
        *(f"{name}: {value}" for name, value in sums.items()),
    ]
    await context.reply_text("\n".join(lines))
