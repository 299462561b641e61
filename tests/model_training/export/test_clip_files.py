"""CLIP's files stand beside the DenseNet's, the manifest names them, and serving reads them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from model_training.export import clip_files  # noqa: E402
from model_training.export.clip_files import JOINING, add_clip  # noqa: E402
from model_training.networks.clip import build_clip, build_tower, is_frozen  # noqa: E402
from tests.model_training.thin_clip import (  # noqa: E402
    arrays_of,
    stirred,
    thin,
    write_published,
)
from tests.models import sha256, write_two_judges  # noqa: E402
from unmask.detector.classifier import Classifier  # noqa: E402
from unmask.detector.manifest import load_manifest  # noqa: E402

FILES = ("clip-tower.onnx", "clip-tuned.npz", "clip-heads.onnx")


@pytest.fixture(scope="module", autouse=True)
def _thin() -> Iterator[None]:
    yield from thin()


def test_the_second_judge_is_added_and_served(
    tmp_path: Path, portrait: npt.NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    crops = [np.ascontiguousarray(portrait[:224, left : left + 224]) for left in (60, 110)]
    path = write_two_judges(tmp_path, clip=None, name="unmask-densenet121", training={"steps": 3})
    source = write_published(tmp_path / "published.onnx", arrays_of(stirred(build_tower())))
    model = stirred(build_clip(), seed=1)
    trained = {v.path: np.asarray(v.value) for v in model.weights if not is_frozen(v)}
    before = load_manifest(path)
    manifest = add_clip(before, tmp_path, source, trained, crops)
    assert load_manifest(path) == manifest
    assert manifest.judges == ("densenet121", "clip")
    assert manifest.joining == JOINING
    assert (manifest.name, manifest.sha256) == ("unmask-densenet121-clip", before.sha256)
    assert manifest.training == {"steps": 3}
    assert manifest.export["clip"]["pictures"] == 2
    assert manifest.clip is not None
    parts = (manifest.clip.tower, manifest.clip.tuned, manifest.clip.heads)
    assert tuple(part.file for part in parts) == FILES
    for part in parts:
        assert part.sha256 == sha256((tmp_path / part.file).read_bytes())
        assert part.licence
        assert part.origin
    assert manifest.clip.tower.licence == "MIT"
    judged = Classifier(path).judge(crops)
    assert all(np.isfinite(found.heatmap).all() for found in judged)
    assert "/" not in json.dumps(manifest.export["clip"])

    monkeypatch.setattr(clip_files, "MAX_MEAN_DIFFERENCE", -1.0)
    with pytest.raises(ValueError, match="differ by"):
        add_clip(before, tmp_path, source, trained, crops)
    assert load_manifest(path) == manifest  # a judge that says otherwise is never named
