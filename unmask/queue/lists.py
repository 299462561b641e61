"""Lists of checks, a page at a time: where a page begins, and what it holds."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from unmask.errors import UnmaskError
from unmask.queue import records
from unmask.queue.keys import LIST, SUSPECTS, checked_name
from unmask.report import Check

_MAX_LISTED = 200
#: A score as Redis writes it, and the id of a check.
_CURSOR = re.compile(r"(-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:e[+-]?[0-9]{1,3})?)~([0-9a-f]{32})")


class Order(StrEnum):
    """How a list of checks is sorted."""

    NEWEST = "newest"
    SUSPICIOUS = "suspicious"


@dataclass(frozen=True)
class Page:
    """Some checks of a list, and the cursor of the next ones (None at the end)."""

    checks: tuple[Check, ...]
    cursor: str | None


#: Redis key of a list, the number of its entries to return, and the score and id after which.
Position = tuple[str, int, tuple[str, str]]


def position(team: str | None, order: Order | str, limit: int, cursor: str | None) -> Position:
    """Where a page begins; raises ``bad_request`` for an invalid cursor, order or team."""
    key = LIST if _order(order) is Order.NEWEST else SUSPECTS
    name = checked_name(team) if team else ""
    return key + name, min(max(limit, 1), _MAX_LISTED), _start(cursor)


def page_of(rows: Sequence[tuple[str, list[str], list[str]]], score: str, last_id: str) -> Page:
    """The page of rows (id, fields of the check, fields of its job) and the last entry read."""
    checks = []
    for check_id, check, job in rows:
        # A damaged record must not hide the others.
        with contextlib.suppress(KeyError, ValueError):
            read = records.check_of(check_id, records.fields(check), records.fields(job))
            checks.append(read)
    return Page(tuple(checks), f"{score}~{last_id}" if last_id else None)


def _order(order: Order | str) -> Order:
    try:
        return Order(order)
    except ValueError as error:
        message = f"The order is one of {', '.join(Order)}."
        raise UnmaskError("bad_request", message) from error


def _start(cursor: str | None) -> tuple[str, str]:
    if cursor is None:
        return "", ""
    match = _CURSOR.fullmatch(cursor)
    if not match or not math.isfinite(float(match[1])):
        raise UnmaskError("bad_request", "The cursor is not one that a list gave.")
    return match[1], match[2]
