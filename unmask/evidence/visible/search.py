"""The decoded picture -> a hint for each sign of a generator, and for a label in words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmask.evidence.visible.colour_bar import Box, find_colour_bar
from unmask.evidence.visible.labels import LabelMatch, find_label
from unmask.evidence.visible.star import find_star
from unmask.findings import Evidence, Kind, Says, Weight, Where


def find_visible_marks(pixels: npt.NDArray[np.uint8]) -> list[Evidence]:
    """A hint for each generator's sign in the picture, (h, w, 3) RGB and upright, and for a label.

    ``parameters`` has the ``mark`` and the ``maker``'s name, where one is known, of a label its
    words (``label``); ``where`` has the box.
    """
    marks = (
        ("gemini_star", "Google", find_star(pixels)),
        ("dalle_colour_bar", "OpenAI", find_colour_bar(pixels)),
    )
    signs = [
        _hint("visible_mark_generated", box, Says.GENERATED, mark=mark, maker=maker)
        for mark, maker, box in marks
        if box is not None
    ]
    label = find_label(pixels)
    return signs if label is None else [*signs, _label(label)]


def _label(match: LabelMatch) -> Evidence:
    phrase = match.phrase
    maker = {"maker": phrase.maker} if phrase.maker else {}
    code = f"visible_label_{phrase.says}"
    return _hint(code, match.box, phrase.says, mark="label", label=phrase.label, **maker)


def _hint(code: str, box: Box, says: Says, **parameters: str | int) -> Evidence:
    return Evidence(
        kind=Kind.VISIBLE_MARKS,
        code=code,
        weight=Weight.HINT,
        says=says,
        where=Where(box=box),
        parameters=parameters,
    )
