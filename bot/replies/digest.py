"""The daily digest of a team, in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.replies import team as words
from bot.team import Digest, DigestCase
from unmask.i18n import Texts
from unmask.wording.units import duration

#: Characters of a title in a list.
_TITLE = 80


def digest(texts: Texts, told: Digest) -> str:
    """What waits, and what was decided yesterday; lines of which there is nothing are left out."""
    gettext = texts.gettext
    lines = [f"📋 {told.team} · {told.day.isoformat()}", "", *_open(texts, told)]
    lines += _yesterday(texts, told)
    if told.overdue:
        lines += ["", gettext("Overdue: {number}", number=told.overdue)]
        lines += _named(texts, told.overdue_cases, told.overdue)
    if told.second:
        lines += ["", gettext("Waiting for a second opinion: {number}", number=told.second)]
        lines += _named(texts, told.second_cases, told.second)
    if told.oldest is not None:
        age = (datetime.now(UTC) - told.oldest.since).total_seconds()
        oldest = _line(texts, told.oldest)
        lines += ["", gettext("Open longest, for {time}:", time=duration(texts, age)), oldest]
    entry = gettext("History up to entry {number}:", number=told.entries)
    return "\n".join([*lines, "", f"{entry} {told.head}"])


def open_desk(texts: Texts) -> str:
    """The label of the button that opens the queue."""
    return texts.gettext("Open the desk")


def _open(texts: Texts, told: Digest) -> list[str]:
    if not told.new + told.claimed + told.second:
        return [texts.gettext("Nothing is open.")]
    return [
        texts.gettext(
            "New: {new} · claimed: {claimed} · second opinion due: {second}",
            new=told.new,
            claimed=told.claimed,
            second=told.second,
        )
    ]


def _yesterday(texts: Texts, told: Digest) -> list[str]:
    decided = sum(told.decided.values())
    line = texts.gettext(
        "Yesterday: {opened} opened · {decided} decided", opened=told.opened, decided=decided
    )
    names = words.verdict_names(texts)
    by_verdict = [f"{names.get(key, key)} {number}" for key, number in told.decided.items()]
    return [line + (f" ({', '.join(by_verdict)})" if by_verdict else "")]


def _named(texts: Texts, cases: Sequence[DigestCase], number: int) -> list[str]:
    lines = [_line(texts, case) for case in cases]
    more = number - len(cases)
    if more > 0:
        lines.append("• " + texts.ngettext("and {number} more", "and {number} more", more))
    return lines


def _line(texts: Texts, case: DigestCase) -> str:
    title = case.title if len(case.title) <= _TITLE else case.title[: _TITLE - 1] + "…"
    return "• " + " · ".join(filter(None, [words.case_name(texts, case.number), title]))
