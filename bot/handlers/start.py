"""/start and /help: what to send, and what comes back."""

from __future__ import annotations

from bot.context import UpdateContext
from unmask.wording.units import duration


async def start(context: UpdateContext) -> None:
    """Reply with a greeting and what to send."""
    gettext = context.texts.gettext
    parts = [
        gettext(
            "👋 Send me a photograph of a face, and I tell whether it was manipulated, and where."
        ),
        gettext(
            "Best is the original, sent as a file. Forwarded messages, albums, stickers, GIFs and "
            "links to pictures work too."
        ),
        gettext("/help tells more, /language changes the language, /privacy says what is kept."),
    ]
    await context.reply_text("\n\n".join(parts))


async def help_(context: UpdateContext) -> None:
    """Reply with how to use the bot, in private and in groups."""
    gettext, name = context.texts.gettext, context.services.bot.username
    retention = duration(context.texts, context.services.settings.retention)
    parts = [
        gettext(
            "Send or forward a picture. It comes back with a box around each face, the region that "
            "looks manipulated, and a verdict in words."
        ),
        gettext(
            "• A file keeps more detail than a photo.\n"
            "• An album gets one answer.\n"
            "• Of stickers and GIFs the first frame is examined; videos are not.\n"
            "• A link must lead to a picture, not to a web page."
        ),
        gettext(
            "In a group, reply to a picture with /check or mention @{name}; without being asked I "
            "stay silent.",
            name=name,
        ),
        gettext(
            "Below an answer: the mask (white is what looks manipulated), the heatmap, the "
            "original size, a way to tell that a verdict is wrong, and one to delete your data. "
            "They work for {time}.",
            time=retention,
        ),
        gettext(
            "A verdict is a hint, not a proof. Look for the first source of a picture before you "
            "call it a fake, or genuine."
        ),
        "/language · /privacy · /delete",
    ]
    if await context.services.team.of(context.chat, context.user) is not None:
        parts.append("👥 /team · /link · /send · /case · /next · /mine · /verdict")
    await context.reply_text("\n\n".join(parts))
