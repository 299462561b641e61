"""Layers in a process of their own: what it draws, refuses, and is ended for."""

from __future__ import annotations

import asyncio
import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.unmask.evidence.test_jpeg import photograph, saved
from unmask.errors import UnmaskError
from unmask.evidence.layers import process
from unmask.evidence.layers.drawing import draw_layer
from unmask.evidence.layers.process import draw_apart
from unmask.findings import Layer
from unmask.images import open_picture
from unmask.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("layer", Layer)
async def test_it_draws_what_is_drawn_here(layer: Layer) -> None:
    data = saved(photograph(), 80)
    expected = draw_layer(open_picture(data, Settings()), layer)
    assert await draw_apart(data, layer, Settings()) == expected


async def test_what_cannot_be_opened_has_its_error() -> None:
    with pytest.raises(UnmaskError) as refused:
        await draw_apart(b"no picture", Layer.NOISE, Settings())
    assert refused.value.code == "not_a_picture"
    with pytest.raises(UnmaskError) as refused:
        await draw_apart(saved(photograph(), 80), Layer.NOISE, Settings(max_pixels=1_000))
    assert (refused.value.code, refused.value.detail["limit"]) == ("too_many_pixels", 1_000)


async def test_settings_of_the_environment_do_not_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNMASK_MAX_PIXELS", "1")
    drawn = await draw_apart(saved(photograph(), 80), Layer.NOISE, Settings(max_pixels=10**6))
    assert drawn.startswith(b"\x89PNG")


@pytest.mark.parametrize("cause", ["sleeps", "dies"])
async def test_a_process_that_hangs_or_dies_is_an_error(
    cause: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = {
        "sleeps": "import os, pathlib, time\n"
        f"pathlib.Path({str(tmp_path)!r}, 'pid').write_text(str(os.getpid()))\n"
        "time.sleep(100)",
        "dies": "import os\nos.abort()",
    }
    (tmp_path / "stand_in.py").write_text(code[cause])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(process, "_MODULE", "stand_in")
    monkeypatch.setattr(process, "SECONDS", 3.0 if cause == "sleeps" else 60.0)
    with pytest.raises(UnmaskError) as failed:
        await draw_apart(b"data", Layer.GHOSTS, Settings())
    assert failed.value.code == "internal"
    if cause == "sleeps":
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_a_client_that_leaves_ends_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    (tmp_path / "stand_in.py").write_text(
        f"import os, pathlib, time\npathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\n"
        "time.sleep(100)"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(process, "_MODULE", "stand_in")
    task = asyncio.create_task(draw_apart(b"data", Layer.GHOSTS, Settings()))
    while not (pid.exists() and pid.read_text()):
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


@pytest.mark.slow
@pytest.mark.parametrize("layer", Layer)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
async def test_the_largest_picture_has_room(layer: Layer, kind: str) -> None:
    rows = np.random.default_rng(1).integers(0, 255, (1, 8_000, 3), np.uint8)
    out = BytesIO()
    Image.fromarray(np.tile(rows, (6_240, 1, 1))).save(out, kind, quality=30, compress_level=9)
    drawn = await draw_apart(out.getvalue(), layer, Settings(max_bytes=10**8))
    assert max(Image.open(BytesIO(drawn)).size) == 1_600
