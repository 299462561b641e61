"""What is read of the processor."""

from __future__ import annotations

from pathlib import Path

import pytest

from unmask.detector.engines import processor


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("processor : 0\nflags\t\t: fpu amx_bf16 avx512_vnni sse\n", {"amx_bf16", "avx512_vnni"}),
        ("flags : fpu sse\n", set()),
        ("Features : fp asimd bf16\n", set()),
        (None, set()),
    ],
)
def test_instructions_are_those_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, expected: set[str]
) -> None:
    path = tmp_path / "cpuinfo"
    if text is not None:
        path.write_text(text)
    monkeypatch.setattr(processor, "CPUINFO", path)
    processor.abilities.cache_clear()
    try:
        assert processor.abilities() == expected
        assert all(name in processor.described() for name in expected)
    finally:
        processor.abilities.cache_clear()
