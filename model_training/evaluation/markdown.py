"""Figures, shares and tables as Markdown has them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def flat(values: dict[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """A nested record as lines: names joined and underscores as blanks."""
    for key, value in values.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, dict):
            yield from flat(value, f"{name}, ")
        elif isinstance(value, list):
            yield name, ", ".join(map(str, value))
        else:
            yield name, f"{value:.3g}" if isinstance(value, float) else str(value)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with a head."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def figure(found: dict[str, Any], form: Any = None) -> str:
    """A figure with its interval, in per cent unless ``form`` says otherwise."""
    show = form or percent
    low, high = (show(bound) for bound in found["interval"])
    if found["value"] is None:
        return show(None)
    return f"{show(found['value'])} ({low} to {high})".replace(" % to", " to")


def percent(share: float | None) -> str:
    """A share in per cent."""
    return "n/a" if share is None else f"{100 * share:.1f} %"


def plain(value: float | None) -> str:
    """A number with three decimals."""
    return "n/a" if value is None else f"{round(value, 3) + 0.0:.3f}"  # no minus before zero


def count(number: int) -> str:
    """A whole number, its thousands parted."""
    return f"{number:,}"
