"""Very many damaged pictures: each is read, or refused with an error of our own."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from tests.mutations import mutations
from unmask.errors import UnmaskError
from unmask.images import open_picture
from unmask.settings import Settings


@pytest.mark.parametrize(
    ("seed", "count"),
    [(4, 500), *(pytest.param(n, 2_000, marks=pytest.mark.slow) for n in range(5, 15))],
)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_damaged_pictures_are_read_or_refused(seed: int, count: int) -> None:
    settings = Settings()
    ends: Counter[str] = Counter()
    for data in islice(mutations(seed), count):
        try:
            picture = open_picture(data, settings)
            picture.pixels(picture.shrink_for(512))
        except UnmaskError as error:
            ends[error.code] += 1
        else:
            ends["read"] += 1
    assert 0 < ends["read"] < count
    assert "internal" not in ends, ends
