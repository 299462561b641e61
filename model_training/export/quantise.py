"""Writes a model's folder once more, with a DenseNet121 that multiplies 8-bit numbers."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from importlib.metadata import version as installed
from pathlib import Path

from model_training.export.eight_bits import quantise
from model_training.export.manifests import MANIFEST_FILE, write_manifest
from unmask.detector.align import Pixels
from unmask.detector.manifest import Manifest, Quantised, load_manifest
from unmask.detector.preprocess import prepare
from unmask.detector.session import read_checked

NETWORK_FILE = "model-int8.onnx"
#: The run times that an 8-bit network can be made for, and whether they need what a convolution
#: makes in 8 bits, too.
WITH_OUTPUTS = {"onnxruntime": True, "openvino": False}


def write_quantised(
    manifest_path: Path, out_dir: Path, crops: Sequence[Pixels], engine: str
) -> Path:
    """Write the 8-bit form of a model for ``engine`` into ``out_dir``, with all files that it
    needs; returns its manifest's path, which UNMASK_MODEL takes.

    ``crops`` are aligned faces of the training split, (224, 224, 3) RGB of uint8, to calibrate on.
    Bounds and calibration stay those of the model. Raises ValueError where there are no faces,
    where ``out_dir`` is the model's own folder, or where the network cannot be rounded; UnmaskError
    for a bad model.
    """
    manifest, home = load_manifest(manifest_path), manifest_path.parent
    if not crops:
        raise ValueError("the ranges are those of real faces, and none were found")
    if manifest.quantised is not None:
        raise ValueError(f"{manifest_path} is of 8 bits already")
    if out_dir.resolve() == home.resolve():
        raise ValueError(f"{out_dir} holds the model itself: name another folder")
    plain = read_checked(home / manifest.file, manifest.sha256)
    images = prepare(crops, manifest.denoise)
    data, convolutions = quantise(plain, images, WITH_OUTPUTS[engine])
    out_dir.mkdir(parents=True, exist_ok=True)
    for name in _other_files(manifest):
        shutil.copyfile(home / name, out_dir / name)
    (out_dir / NETWORK_FILE).write_bytes(data)
    note = Quantised(of=manifest.sha256, engine=engine, faces=len(crops), convolutions=convolutions)
    record = {"bytes": len(data), "versions": {"onnxruntime": installed("onnxruntime")}}
    changed = manifest.model_copy(
        update={
            "name": f"{manifest.name}-int8",
            "version": f"{manifest.version}-int8",
            "file": NETWORK_FILE,
            "sha256": hashlib.sha256(data).hexdigest(),
            "quantised": note,
            "export": {**manifest.export, "int8": record},
        }
    )
    write_manifest(changed, out_dir / MANIFEST_FILE)
    return out_dir / MANIFEST_FILE


def _other_files(manifest: Manifest) -> Iterator[str]:
    """The names of the files beside the DenseNet121's."""
    clip = manifest.clip
    if clip is not None:
        files = (clip.tower, clip.tuned, clip.heads, clip.cover)
        yield from (one.file for one in files if one is not None)
