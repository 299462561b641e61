"""The bot's words for what a team's desk says."""

from __future__ import annotations

from bot.team import TeamAnswer, Trouble
from unmask.i18n import Texts, gettext_noop

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
TROUBLES = {
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
