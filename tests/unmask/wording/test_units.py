"""Durations and sizes."""

from __future__ import annotations

import pytest

from unmask.i18n import texts_in
from unmask.wording.units import duration, megabytes


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1 second"),
        (59, "59 seconds"),
        (119, "119 seconds"),
        (180, "3 minutes"),
        (86_400, "24 hours"),
        (604_800, "7 days"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(texts_in("en"), seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(20_000_000, "20"), (1_500_000, "1.5"), (512, "0.000512")]
)
def test_megabytes(count: int, text: str) -> None:
    assert megabytes(count) == text
