"""/privacy: what is stored, where, and for how long."""

from __future__ import annotations

from bot.context import UpdateContext
from unmask.wording.units import duration


async def privacy(context: UpdateContext) -> None:
    """Reply with all that the bot stores."""
    gettext = context.texts.gettext
    time = duration(context.texts, context.services.settings.retention)
    parts = [
        gettext("What is stored about you:"),
        gettext(
            "• Your picture and its result: for {time}, then they are deleted. Only your chat sees "
            "them.\n"
            "• Your Telegram number, to know which results are yours: for {time}.\n"
            "• The language that you chose: until you delete it, or half a year.\n"
            "• What you say about a wrong verdict: until you delete it. The photo goes with it "
            "only if you agree.",
            time=time,
        ),
        *_link(context),
        gettext(
            "Your name, your contacts and what you write are not kept. Pictures are examined on "
            "the operator's own machine and go to nobody else. What you send through Telegram, "
            "Telegram has too."
        ),
        gettext("/delete removes everything that is stored about you, at once."),
    ]
    await context.reply_text("\n\n".join(parts))


def _link(context: UpdateContext) -> list[str]:
    """What a link keeps, where the bot belongs to a team."""
    if context.services.team.desk is None:
        return []
    return [
        context.texts.gettext(
            "• If you link your account to a member of the team: a token by which I act for you, "
            "until /unlink, or half a year after its last use. The team does not learn your "
            "Telegram number."
        )
    ]
