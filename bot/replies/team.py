"""The bot's words for what a team's desk says."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.team import DeskError, NextCase, TeamAnswer, TeamCase, Trouble
from unmask.i18n import Texts, gettext_noop
from unmask.wording.units import duration

_VERDICTS = {
    "authentic": gettext_noop("Authentic"),
    "manipulated": gettext_noop("Manipulated"),
    "generated": gettext_noop("Generated"),
    "out_of_context": gettext_noop("Out of context"),
    "cannot_tell": gettext_noop("Cannot tell"),
}
_CONFIDENCE = {
    "low": gettext_noop("low confidence"),
    "medium": gettext_noop("medium confidence"),
    "high": gettext_noop("high confidence"),
}
_STATES = {
    "new": gettext_noop("nobody works on it yet"),
    "claimed": gettext_noop("somebody works on it"),
    "second": gettext_noop("it waits for a second opinion"),
    "decided": gettext_noop("decided"),
    "published": gettext_noop("published"),
    "dismissed": gettext_noop("put aside"),
}
_ROLES = {
    "viewer": gettext_noop("viewer"),
    "checker": gettext_noop("checker"),
    "admin": gettext_noop("admin"),
}
_WHY_NONE = {
    "none_open": gettext_noop("There is no next case: nothing is open."),
    "all_claimed": gettext_noop("There is no next case: others work on all that is open."),
    "opinion_of_another": gettext_noop(
        "There is no next case for you: what is left waits for a second opinion, which must not "
        "be yours."
    ),
    "claim_limit": gettext_noop(
        "There is no next case while you hold as many as your team allows. Decide or release one; "
        "/mine lists them."
    ),
}
#: How sure a person is, as the person writes it.
SURE = {
    "low": gettext_noop("low"),
    "medium": gettext_noop("medium"),
    "high": gettext_noop("high"),
}
TROUBLES = {
    Trouble.UNLINKED: gettext_noop(
        "You are not linked to a member of the team any more. /link says how to link again."
    ),
    Trouble.NOT_ALLOWED: gettext_noop("Your role in the team does not allow that."),
    Trouble.CONFLICT: gettext_noop(
        "The case has changed meanwhile, or is another person's. /case says how it stands."
    ),
    Trouble.CLAIM_LIMIT: _WHY_NONE["claim_limit"],
    Trouble.OPINION_OF_ANOTHER: gettext_noop(
        "Your own opinion on that case is in. The next one must be another person's."
    ),
    Trouble.BAD_CODE: gettext_noop(
        "That code was used already, has expired, or never was. Make another one on your account "
        "page."
    ),
    Trouble.AWAY: gettext_noop("The team's desk does not answer just now. Please try again later."),
    Trouble.UNKNOWN: gettext_noop("The team has no such case, or the result is no longer kept."),
    Trouble.REFUSED: gettext_noop(
        "The bot's key does not allow that at the team's desk. Tell those who run the bot."
    ),
}
NO_TEAM = gettext_noop("This chat belongs to no team.")


def case_name(texts: Texts, number: int) -> str:
    """ "Case 214"."""
    return texts.gettext("Case {number}", number=number)


def verdict(texts: Texts, name: str | None) -> str:
    """ "Team: Authentic"; empty where there is none."""
    if name not in _VERDICTS:
        return ""
    return texts.gettext("Team: {verdict}", verdict=texts.gettext(_VERDICTS[name]))


def answer(texts: Texts, team: TeamAnswer, *, is_similar: bool = False) -> str:
    """The team's verdict, with its date, likeness, confidence and case; where the case does not
    answer, that the team has it. ``is_similar`` says that another file was looked up."""
    words = verdict(texts, team.verdict)
    name = case_name(texts, team.case)
    if not words:
        return texts.gettext("The team has this picture: {case}.", case=name)
    is_same = team.picture == "same" and not is_similar
    likeness = texts.gettext("same file") if is_same else texts.gettext("a copy")
    date = f"{team.decided_at:%Y-%m-%d}" if team.decided_at else ""
    sure = texts.gettext(_CONFIDENCE[team.confidence]) if team.confidence in _CONFIDENCE else ""
    return f"👥 {words}\n" + " · ".join(filter(None, (date, likeness, sure, name)))


def state(texts: Texts, name: str) -> str:
    """The state of a case in words."""
    return texts.gettext(_STATES[name]) if name in _STATES else name


def role(texts: Texts, name: str) -> str:
    """A role in the team, in words."""
    return texts.gettext(_ROLES[name]) if name in _ROLES else name


def trouble(texts: Texts, error: DeskError) -> str:
    """Why the desk did not do what it was asked, and who holds the case."""
    holder = error.detail.get("claimed_by_name")
    if error.trouble is Trouble.CONFLICT and holder:
        name = case_name(texts, error.detail.get("case", 0))
        return texts.gettext("{person} works on {case}.", person=holder, case=name)
    if error.trouble is Trouble.TOO_OFTEN:
        wait = duration(texts, error.detail.get("retry_after", 60))
        return texts.gettext("Those were too many tries. Please wait {wait}.", wait=wait)
    return texts.gettext(TROUBLES[error.trouble])


def why_none(texts: Texts, answer: NextCase) -> str:
    """Why there is no next case, with how many others hold or must judge."""
    lines = [texts.gettext(_WHY_NONE.get(answer.why or "", _WHY_NONE["none_open"]))]
    if answer.claimed:
        lines.append(
            texts.ngettext(
                "Others hold {number} case.", "Others hold {number} cases.", answer.claimed
            )
        )
    if answer.another:
        lines.append(
            texts.ngettext(
                "{number} case waits for the opinion of another person.",
                "{number} cases wait for the opinion of another person.",
                answer.another,
            )
        )
    return "\n".join(lines)


def held_case(texts: Texts, case: TeamCase) -> str:
    """A line for a case that a person holds: its number and title, and when the claim lapses."""
    parts = [case_name(texts, case.number), case.title]
    if case.claimed_until is not None:
        seconds = (case.claimed_until - datetime.now(UTC)).total_seconds()
        parts.append(texts.gettext("lapses in {time}", time=duration(texts, max(0, seconds))))
    return " · ".join(filter(None, parts))


def machine(texts: Texts, case: TeamCase) -> str:
    """What the machine says of a case's picture."""
    if case.suspicion < 0:
        return texts.gettext("The machine found no face.")
    return texts.gettext("The machine says: fake {percent} %.", percent=case.suspicion)


def verdict_names(texts: Texts) -> dict[str, str]:
    """The verdicts that a person may write, each by its key, in the user's language."""
    return {key: texts.gettext(name) for key, name in _VERDICTS.items()}
