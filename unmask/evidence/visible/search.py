"""The decoded picture -> a hint for each sign that a generator draws."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmask.evidence.visible.colour_bar import find_colour_bar
from unmask.evidence.visible.star import find_star
from unmask.findings import Evidence, Kind, Says, Weight, Where


def find_visible_marks(pixels: npt.NDArray[np.uint8]) -> list[Evidence]:
    """A hint for each generator's sign in the picture, (h, w, 3) RGB and upright.

    ``parameters`` has the ``mark`` and the ``maker``'s name; ``where`` the sign's box.
    """
    marks = (
        ("gemini_star", "Google", find_star(pixels)),
        ("dalle_colour_bar", "OpenAI", find_colour_bar(pixels)),
    )
    return [
        Evidence(
            kind=Kind.VISIBLE_MARKS,
            code="visible_mark_generated",
            weight=Weight.HINT,
            says=Says.GENERATED,
            where=Where(box=box),
            parameters={"mark": mark, "maker": maker},
        )
        for mark, maker, box in marks
        if box is not None
    ]
