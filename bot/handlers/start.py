"""/start and /help: what to send, and what comes back."""

from __future__ import annotations

from bot.context import Turn
from bot.replies.messages import duration


async def start(turn: Turn) -> None:
    """A greeting with all that is needed to begin."""
    say = turn.words.say
    parts = [
        say("👋 Send me a photograph of a face, and I tell whether it was manipulated, and where."),
        say(
            "Best is the original, sent as a file. Forwarded messages, albums, stickers, GIFs and "
            "links to pictures work too."
        ),
        say("/help tells more, /language changes the language, /privacy says what is kept."),
    ]
    await turn.reply("\n\n".join(parts))


async def help_(turn: Turn) -> None:
    """How to use the bot, in private and in groups."""
    say, name = turn.words.say, turn.services.bot.username
    keeping = duration(turn.words, turn.services.settings.retention)
    parts = [
        say(
            "Send or forward a picture. It comes back with a box around each face, the region that "
            "looks manipulated, and a verdict in words."
        ),
        say(
            "• A file keeps more detail than a photo.\n"
            "• An album gets one answer.\n"
            "• Of stickers and GIFs the first frame is examined; videos are not.\n"
            "• A link must lead to a picture, not to a web page."
        ),
        say(
            "In a group, reply to a picture with /check or mention @{name}; without being asked I "
            "stay silent.",
            name=name,
        ),
        say(
            "Below an answer: the mask (white is what looks manipulated), the heatmap, the "
            "original size, a way to tell that a verdict is wrong, and one to delete your data. "
            "They work for {time}.",
            time=keeping,
        ),
        say(
            "A verdict is a hint, not a proof. Look for the first source of a picture before you "
            "call it a fake, or genuine."
        ),
        "/language · /privacy · /delete",
    ]
    await turn.reply("\n\n".join(parts))
