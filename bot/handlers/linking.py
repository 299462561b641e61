"""/link, /unlink and /team: who a user is in the team that the bot is bound to."""

from __future__ import annotations

import contextlib

from bot.context import Services, UpdateContext
from bot.handlers.team import in_team_chat
from bot.replies import team as words
from bot.replies.commands import hide_team_menu, show_team_menu
from bot.team import Counts, DeskError, TeamChat, TeamDesk


async def link(context: UpdateContext) -> None:
    """Link the user's account to the person who made the code; a code that a group could read is
    made useless."""
    services, gettext = context.services, context.texts.gettext
    desk = services.team.desk
    if desk is None:
        await context.reply_text(gettext(words.NO_TEAM))
        return
    code = context.argument
    account = services.links.account(context.user)
    try:
        if context.group:
            await _refuse_in_group(context, desk, code, account)
        elif not code:
            await context.reply_text(
                gettext(
                    "Make a code on your account page at the team's desk, and send it to me here: "
                    "/link ABCD-EFGH-JKLM\n{page}",
                    page=desk.account_page,
                )
            )
        else:
            await _link(context, desk, code, account)
    except DeskError as error:
        await context.reply_text(words.trouble(context.texts, error))


async def _link(context: UpdateContext, desk: TeamDesk, code: str, account: str) -> None:
    services, texts = context.services, context.texts
    before = await services.links.find(context.user)
    token = await services.links.token_for(context.user, code)
    person = await desk.link(code, account, f"@{services.bot.username}", token)
    if before not in {None, token}:  # the account acts for one person at a time
        with contextlib.suppress(DeskError):
            await desk.unlink(before)
    await services.links.keep(context.user, token)
    await show_team_menu(services.bot, context.user, texts)
    lines = [
        texts.gettext(
            "Linked: what you do here counts as done by {person} ({role}).",
            person=person.name,
            role=words.role(texts, person.role),
        ),
        texts.gettext(
            "/next takes the best open case, /mine lists yours, /verdict decides one, /unlink ends "
            "this."
        ),
    ]
    await context.reply_text("\n\n".join(lines))


async def _refuse_in_group(context: UpdateContext, desk: TeamDesk, code: str, account: str) -> None:
    if code:
        await desk.void(code, account)
    await context.reply_text(
        context.texts.gettext(
            "Send me /link in a private chat. A code that a group has read is void: make another "
            "one."
        )
    )


async def unlink(context: UpdateContext) -> None:
    """End the user's link."""
    gettext = context.texts.gettext
    if await context.services.links.find(context.user) is None:
        await context.reply_text(gettext("You are not linked to a member of the team."))
        return
    await end_link(context.services, context.user)
    await context.reply_text(
        gettext("You are not linked any more. What you did in the team stays there, as yours.")
    )


async def end_link(services: Services, user: int) -> None:
    """End a user's link, here and at the desk. If the desk is away, the token is forgotten all the
    same, so nobody can use the link; the person sees and ends it on the account page."""
    token = await services.links.find(user)
    if token is None or services.team.desk is None:
        return
    await services.links.forget(user)
    await hide_team_menu(services.bot, user)
    with contextlib.suppress(DeskError):
        await services.team.desk.unlink(token)


async def team(context: UpdateContext) -> None:
    """Say which team this chat sends to, and who the user is there."""
    if await context.services.team.of(context.chat, context.user) is None:
        await context.reply_text(
            "\n".join(
                [
                    context.texts.gettext(words.NO_TEAM),
                    context.texts.gettext(
                        "Those who run the bot can name it by its number: {number}.",
                        number=context.chat,
                    ),
                ]
            )
        )
        return
    await _standing(context)


async def _tell_team(context: UpdateContext, chat: TeamChat) -> None:
    texts, desk = context.texts, chat.desk
    facts = await desk.facts(chat.reader)
    lines = [texts.gettext("This chat sends to the team “{team}”.", team=facts.name)]
    if chat.link is None:
        lines.append(
            texts.gettext("You are not linked to a member of it. /link, in private, says how.")
        )
        lines.append(_counted(context, await desk.counts(chat.reader)))
    else:
        person = await desk.standing(chat.link)
        role = words.role(texts, person.role)
        lines.append(texts.gettext("You are {person}, {role}.", person=person.name, role=role))
        counts = await desk.counts(chat.link)
        lines.append(_counted(context, counts))
        lines.append(
            texts.gettext(
                "Yours: {mine} · second opinions for you: {second}",
                mine=counts.mine,
                second=counts.second_for_me,
            )
        )
    lines.append(texts.gettext("The number of this chat: {number}", number=context.chat))
    await context.reply_text("\n".join(lines))


def _counted(context: UpdateContext, counts: Counts) -> str:
    return context.texts.gettext(
        "New: {new} · claimed: {claimed} · second opinion due: {second}",
        new=counts.states.get("new", 0),
        claimed=counts.states.get("claimed", 0),
        second=counts.states.get("second", 0),
    )


_standing = in_team_chat(_tell_team)
