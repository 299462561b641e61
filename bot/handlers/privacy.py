"""/privacy: what is kept, where, and for how long."""

from __future__ import annotations

from bot.context import Turn
from bot.replies.messages import duration


async def privacy(turn: Turn) -> None:
    """The whole truth in a few lines."""
    say, time = turn.words.say, duration(turn.words, turn.services.settings.retention)
    parts = [
        say("What is kept of you:"),
        say(
            "• Your picture and its result: for {time}, then they are deleted. Only your chat sees "
            "them.\n"
            "• Your Telegram number, to know which results are yours: for {time}.\n"
            "• The language that you chose: until you delete it, or half a year.\n"
            "• What you say of a wrong verdict: until you delete it. The photo goes with it only "
            "if you agree.",
            time=time,
        ),
        say(
            "Your name, your contacts and what you write are not kept. Pictures are examined on "
            "the operator's own machine and go to nobody else. What you send through Telegram, "
            "Telegram has too."
        ),
        say("/delete removes everything that is kept of you, at once."),
    ]
    await turn.reply("\n\n".join(parts))
