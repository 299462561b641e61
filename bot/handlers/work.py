"""/mine, /next and /verdict: what a linked person does with cases, by that person's own rights."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from telegram.error import BadRequest

from bot.context import UpdateContext
from bot.handlers.team import case_button, case_number, in_team_chat
from bot.replies import team as words
from bot.replies.photo import as_photo
from bot.team import DeskError, TeamCase, TeamChat, TeamDesk, Trouble
from unmask.i18n import Texts

#: The states in which a first opinion is given.
_UNDECIDED = ("new", "claimed")
#: Telegram's limit for the text below a photo.
_MAX_CAPTION = 1024


def _as_person(
    handler: Callable[[UpdateContext, TeamDesk, str], Awaitable[None]],
) -> Callable[[UpdateContext], Awaitable[None]]:
    """A handler for a user who is linked; others learn how to link."""

    async def handle(context: UpdateContext, chat: TeamChat) -> None:
        if chat.link is None:
            await context.reply_text(
                context.texts.gettext(
                    "For this I must know who you are in the team. Make a code on your account "
                    "page and send it to me in private: /link ABCD-EFGH-JKLM\n{page}",
                    page=chat.desk.account_page,
                )
            )
            return
        await handler(context, chat.desk, chat.link)

    return in_team_chat(handle)


async def _mine(context: UpdateContext, desk: TeamDesk, link: str) -> None:
    texts = context.texts
    cases, counts = await asyncio.gather(desk.mine(link), desk.counts(link))
    lines = [words.held_case(texts, case) for case in cases]
    if counts.mine > len(cases):
        more = counts.mine - len(cases)
        lines.append(texts.ngettext("and {number} more", "and {number} more", more))
    if not lines:
        lines.append(texts.gettext("You hold no case. /next takes the best open one."))
    if counts.second_for_me:
        lines.append(
            texts.ngettext(
                "{number} case waits for your opinion.",
                "{number} cases wait for your opinion.",
                counts.second_for_me,
            )
        )
    button = await case_button(desk, texts, cases[0].number) if len(cases) == 1 else None
    await context.reply_text("\n".join(lines), button)


async def _next(context: UpdateContext, desk: TeamDesk, link: str) -> None:
    texts = context.texts
    answer = await desk.claim_next(link, context.once)
    if answer.case is None:
        await context.reply_text(words.why_none(texts, answer))
        return
    case, hidden = answer.case, (await desk.facts(link)).settings.hide_score
    lines = [words.held_case(texts, case)]
    if case.state == "second":
        lines.append(texts.gettext("It waits for a second opinion: yours."))
    if not hidden:
        lines.append(words.machine(texts, case))
    lines.append(texts.ngettext("Seen {number} time.", "Seen {number} times.", case.sightings))
    lines.append(
        texts.gettext(
            "Decide it on its page, or here: /verdict {number} manipulated: why you say so",
            number=case.number,
        )
    )
    await _show(context, desk, link, case, "\n".join(lines), hidden=hidden)


async def _show(
    context: UpdateContext, desk: TeamDesk, link: str, case: TeamCase, text: str, *, hidden: bool
) -> None:
    """Reply with the case's picture, without the machine's marks if the team hides them; with the
    text alone where there is none."""
    button = await case_button(desk, context.texts, case.number)
    name = "original.jpg" if hidden else "annotated.jpg"
    data = await desk.picture(case, name, link) if case.picture else None
    if data is None or len(text) > _MAX_CAPTION:
        await context.reply_text(text, button)
        return
    photo, _ = await asyncio.to_thread(as_photo, data)
    try:
        await context.retry(
            lambda: context.services.bot.send_photo(
                context.chat,
                photo,
                caption=text,
                reply_markup=button,
                reply_parameters=context.reply_parameters,
                message_thread_id=context.thread,
            )
        )
    except BadRequest:  # a group may allow only text
        await context.reply_text(text, button)


async def _verdict(context: UpdateContext, desk: TeamDesk, link: str) -> None:
    texts, number = context.texts, case_number(context)
    opinion = read_opinion(texts, context.argument.partition(" ")[2])
    if number is None or opinion is None:
        names = ", ".join(words.verdict_names(texts).values())
        await context.reply_text(
            texts.gettext(
                "Give the case, the verdict and why:\n"
                "/verdict 214 manipulated: The shadows point two ways.\n"
                "Verdicts: {verdicts}. How sure you are may stand before the colon: "
                "manipulated high: …",
                verdicts=names,
            )
        )
        return
    case, facts = await asyncio.gather(desk.case(number, link), desk.facts(link))
    action = _action(case)
    button = await case_button(desk, texts, number)
    is_blind = case.sensitive or case.state == "second" or facts.settings.second_opinion != "never"
    if action is not None and context.group and is_blind:
        await context.reply_text(
            texts.gettext(
                "Nothing was counted: a second opinion must be given without having read the "
                "first. Send me your verdict in a private chat."
            )
        )
        return
    fields = opinion.fields() | {
        "version": case.version,
        "score_was_shown": not facts.settings.hide_score,
    }
    try:
        # Also where none is due: after a crash this may be the opinion that decided the case.
        judged = await desk.judge(action or "decide", case, fields, link, context.once)
    except DeskError as error:
        if action is not None or error.trouble is not Trouble.CONFLICT:
            raise
        text = texts.gettext(
            "{case}: {state}. It takes no opinion now; reopen it on its page.",
            case=words.case_name(texts, number),
            state=words.state(texts, case.state),
        )
        await context.reply_text(text, button)
        return
    await context.reply_text(_outcome(texts, judged), button)


def _action(case: TeamCase) -> str | None:
    """What an opinion on a case is just now; None if it takes none."""
    if case.state in _UNDECIDED:
        return "decide"
    if case.state != "second":
        return None
    return "settle" if case.review == "tie" else "second"


def _outcome(texts: Texts, case: TeamCase) -> str:
    """What an opinion led to."""
    name = words.case_name(texts, case.number)
    if case.state != "second":
        verdict = words.verdict(texts, case.verdict)
        return texts.gettext("{case} is decided. {verdict}", case=name, verdict=verdict)
    if case.review == "tie":
        return texts.gettext(
            "Your opinion on {case} differs from the first one. A third person settles it.",
            case=name,
        )
    return texts.gettext(
        "Your opinion on {case} is in. It is decided once another person says the same.", case=name
    )


@dataclass(frozen=True)
class Opinion:
    """A verdict, how sure a person is of it, and why."""

    verdict: str
    confidence: str
    reasoning: str

    def fields(self) -> dict[str, object]:
        """The opinion as the desk takes it."""
        return {
            "verdict": self.verdict,
            "confidence": self.confidence,
            "reasoning": self.reasoning,
        }


def read_opinion(texts: Texts, text: str) -> Opinion | None:
    """The opinion that a person wrote: ``VERDICT [low|medium|high]: why``, in English or in the
    user's language. None if the verdict is unknown or the reasons are missing. Without the colon
    the verdict alone ends at its own words, so that ``manipulated High contrast ...`` is a reason
    and no confidence."""
    verdicts = _forms({key: [key, name] for key, name in words.verdict_names(texts).items()})
    match = _beginning(verdicts, text)
    if match is None:
        return None
    verdict, rest = match
    sure = _forms({key: [key, texts.gettext(name)] for key, name in words.SURE.items()})
    confidence, before_colon = "medium", rest.partition(":")[0].strip()
    marked = _beginning(sure, before_colon) if ":" in rest else None
    if marked is not None and not marked[1]:
        confidence, rest = marked[0], rest.partition(":")[2]
    reasoning = rest.strip().removeprefix(":").strip()
    return Opinion(verdict, confidence, reasoning) if reasoning else None


def _forms(names: dict[str, list[str]]) -> dict[str, str]:
    """Each way to write a key, folded, with the key; ``out_of_context`` may have spaces."""
    return {_folded(form): key for key, forms in names.items() for form in forms}


def _beginning(forms: dict[str, str], text: str) -> tuple[str, str] | None:
    """The key of the form that a text begins with, and what follows it."""
    for form in sorted(forms, key=len, reverse=True):
        pattern = r"[\s_-]+".join(re.escape(word) for word in form.split())
        match = re.match(rf"\s*{pattern}(?![\w-])", text, re.IGNORECASE)
        if match:
            return forms[form], text[match.end() :].strip()
    return None


def _folded(text: str) -> str:
    return " ".join(re.split(r"[\s_-]+", text.lower()))


mine, next_, verdict = _as_person(_mine), _as_person(_next), _as_person(_verdict)
