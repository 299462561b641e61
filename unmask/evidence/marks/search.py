"""Fields -> the marks among them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from unmask.evidence.fields import Field
from unmask.evidence.marks.table import MARKS, How, Mark, Test
from unmask.findings import Evidence, Kind, Weight, Where

#: What the sentence is about, by the mark: all others name a maker, or only the field.
_SUSPECTED = "china_label_suspected"
#: Values of one field that are looked at: lists may be long.
_MAX_VALUES = 50


def find_marks(fields: Sequence[Field]) -> list[Evidence]:
    """A hint for each mark that the fields hold; one for each maker and thing said.

    ``parameters`` has the row's ``mark`` and the ``maker``'s name, where the mark tells one.
    """
    by_name: dict[str, list[Field]] = {}
    for field_ in fields:
        by_name.setdefault(field_.name, []).append(field_)
    evidence: dict[tuple[str, str, str], Evidence] = {}
    for mark in MARKS:
        field = _field(mark, by_name)
        if field is not None:
            finding = _finding(mark, field)
            evidence.setdefault((mark.maker, mark.says, finding.code), finding)
    return list(evidence.values())


def _finding(mark: Mark, field: Field) -> Evidence:
    parameters: dict[str, str | int] = {"mark": mark.id}
    code = "mark_suspected" if mark.id == _SUSPECTED else f"mark_{mark.says}"
    if mark.maker:
        parameters["maker"] = mark.maker
    else:
        code += "" if mark.id == _SUSPECTED else "_unnamed"
    where = Where(field=field.name)
    return Evidence(
        kind=Kind.MARKS,
        code=code,
        weight=Weight.HINT,
        says=mark.says,
        where=where,
        parameters=parameters,
    )


def _field(mark: Mark, fields: Mapping[str, list[Field]]) -> Field | None:
    """The field that fits the mark's first test, if all of its tests are fitted."""
    fitting = [_fitting(test, fields) for test in mark.tests]
    return fitting[0] if all(fitting) else None


def _fitting(test: Test, fields: Mapping[str, list[Field]]) -> Field | None:
    candidates = (field for name in test.fields for field in fields.get(name, ())[:_MAX_VALUES])
    return next((field for field in candidates if _fits(test, field.value)), None)


def _fits(test: Test, value: str) -> bool:
    pattern = _compiled(test.pattern)
    if test.how is How.WHOLE:
        return pattern.fullmatch(value) is not None
    if test.how is How.PART:
        return pattern.search(value) is not None
    if test.how is How.TERM:
        return pattern.fullmatch(re.split(r"[/:#]", value.rstrip("/ "))[-1]) is not None
    return any(pattern.fullmatch(key) for key in _keys(value, test.how is How.INNER_KEY))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _keys(text: str, inner: bool) -> Iterator[str]:
    """The keys of a JSON object, or those of its members that are objects."""
    value = _json(text)
    members: list[Any] = [value] if not inner else []
    if inner and isinstance(value, dict):
        members = list(value.values())
    for member in members:
        if isinstance(member, dict):
            yield from (str(key) for key in member)


def _json(text: str) -> Any:
    """The value of a JSON text, None for anything else."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
