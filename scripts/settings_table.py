"""Writes the table of settings in docs/operation.md from the settings themselves.

Run it from the root of the repository: ``python -m scripts.settings_table``. A test fails while the
page shows anything else.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from pydantic.fields import FieldInfo

from unmask.settings import SHIPPED_MODEL, Settings

PAGE = Path(__file__).parents[1] / "docs" / "operation.md"
_PLACE = re.compile(r"(<!-- settings: [^>]*-->\n).*?(<!-- end of settings -->)", re.DOTALL)


def with_table(page: str) -> str:
    """The page with the table as it should be; raises ValueError where it has no place for it."""
    page, places = _PLACE.subn(lambda place: f"{place[1]}{table()}{place[2]}", page)
    if places != 1:
        raise ValueError("the page has no one place for the settings")
    return page


def table() -> str:
    """The table, one row a setting, in the order in which they are defined."""
    rows = ["| Variable | Default | Meaning |", "|---|---|---|"]
    rows += [
        f"| `UNMASK_{name.upper()}` | {_default(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(rows) + "\n"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value == SHIPPED_MODEL:
        return "the shipped model"
    if isinstance(value, Path):
        value = f"~/{value.relative_to(Path.home())}"
    if value is None or value == "":
        return ""
    choices = [str(choice) for choice in get_args(field.annotation) if isinstance(choice, str)]
    others = [choice for choice in choices if choice != value]
    return f"`{value}`" + (f" (or {', '.join(f'`{other}`' for other in others)})" if others else "")


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
