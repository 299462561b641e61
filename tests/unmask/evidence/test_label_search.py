"""Patterns of thousands of letters are read like any other ground, and cost as little."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest

from unmask.evidence.visible import labels
from unmask.evidence.visible.labels import find_label


def test_dots_without_number_are_no_label() -> None:
    pixels = np.full((640, 8000, 3), 60, np.uint8)
    pixels[::3, ::3] = 255
    assert find_label(pixels) is None


def test_a_pattern_of_letters_takes_little_memory() -> None:
    tile = np.full((16, 22, 3), 60, np.uint8)
    cv2.putText(tile, "AI", (0, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1)
    pixels = np.ascontiguousarray(np.tile(tile, (40, 360, 1)))
    tracemalloc.start()
    assert find_label(pixels) is None
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 12 * pixels.nbytes


@pytest.mark.parametrize("seed", range(5))
def test_the_pairs_are_those_of_all_parts_with_all(seed: int) -> None:
    random = np.random.default_rng(seed)

    def parts(count: int) -> tuple[np.ndarray, ...]:
        left, size = random.uniform(0, 300, count), random.uniform(9, 30, count)
        base = random.choice([40.0, 42.0, 80.0], count)
        values = left, left + size * random.uniform(0.3, 1.0, count), base, size
        return tuple(value.astype(np.float32) for value in values)

    first, second = parts(120), parts(150)
    expected = []
    for x1, right1, base1, size1 in zip(*first, strict=True):
        for x2, right2, base2, size2 in zip(*second, strict=True):
            size, ratio = np.sqrt(size1 * size2), size1 / size2
            low, high = labels._GAP
            is_near = low < (x2 - right1) / size < high
            is_alike = 1 / labels._SIZES < ratio < labels._SIZES
            if is_near and is_alike and abs(base1 - base2) < labels._BASES * size:
                expected.append((float(x1), float(right2), float(base1 + base2) / 2, float(size)))
    anchors = list(labels._pairs("AI", first, second))
    assert len(anchors) > 5
    found = [(a.left, a.right, a.base, a.capital) for a in anchors]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
