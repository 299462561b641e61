"""Very many damaged pictures: each is read, or refused with an error of our own."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from tests.mutations import mutations
from tests.pictures import corners
from tests.unmask.images import animated, coloured
from unmask.errors import UnmaskError
from unmask.images import open_picture
from unmask.settings import Settings

#: Pictures with parts of their own: colours that are told, and frames.
MORE = [
    coloured.coded("AVIF", 9, 16),
    coloured.coded("HEIF", 9, 18),
    coloured.raw_png(corners(), coloured.cicp(9, 16), coloured.light_level(400)),
    coloured.raw_png(corners(), coloured.gama(1), coloured.chrm(*coloured.P3_XY)),
    coloured.profiled_bmp(coloured.profile(gamma=1.0)),
    animated.apng(animated.WHITE_PAGE, corners(), animated.OTHER),
    *(animated.animation(kind, corners(), animated.OTHER) for kind in animated.FORMATS),
]


@pytest.mark.parametrize(
    ("seed", "count"),
    [(4, 500), *(pytest.param(n, 2_000, marks=pytest.mark.slow) for n in range(5, 15))],
)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_damaged_pictures_are_read_or_refused(seed: int, count: int) -> None:
    settings = Settings()
    ends: Counter[str] = Counter()
    for data in islice(mutations(seed, *MORE), count):
        try:
            picture = open_picture(data, settings)
            for _ in picture.appearances(picture.shrink_for(512)):
                pass
        except UnmaskError as error:
            ends[error.code] += 1
        else:
            ends["read"] += 1
    assert 0 < ends["read"] < count
    assert "internal" not in ends, ends
