"""From trained weights to what is served: model.onnx and its manifest, proved to agree."""

from __future__ import annotations

import hashlib
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
from rich.console import Console

from model_training.export.fuse import fuse_batch_norms
from model_training.export.half_precision import halve_weights
from model_training.export.manifests import MANIFEST_FILE, write_manifest
from model_training.networks.model import serving_model
from unmask.detector.align import FRAME_SCALE, FRAME_SIZE, Floats, Pixels
from unmask.detector.manifest import Calibration, Manifest, Thresholds
from unmask.detector.preprocess import Denoise, prepare

#: What a network says of a batch of faces, in the order of OUTPUTS: logits and maps.
Says = Callable[[Floats], list[Floats]]

OPSET = 18
OUTPUTS = ("families", "heatmap", "activation")
MODEL_FILE = "model.onnx"
LICENCE = "Apache-2.0; trained on pictures most of whose terms allow non-commercial research"
ORIGIN = "trained by model_training"
#: Largest model file, in bytes: it is part of every installation.
MAX_BYTES = 30_000_000
#: Most that the two run times may differ by on any picture, and that half precision may move.
MAX_DIFFERENCE = {"families": 1e-3, "heatmap": 1e-3}
MAX_MOVED = {"families": 0.1, "heatmap": 0.01}


def export(
    model: keras.Model,
    out_dir: Path,
    *,
    version: str,
    crops: Sequence[Pixels],
    name: str = "unmask-densenet121",
    denoise: Denoise = Denoise.NONE,
    min_face: int = 0,
    training: dict[str, Any] | None = None,
) -> Manifest:
    """Write model.onnx and manifest.json for a model as ``build_model`` makes it.

    ``crops`` are aligned faces, (224, 224, 3) RGB of uint8, of real pictures: Keras and ONNX
    Runtime must agree on them. ``training`` is kept in the manifest as it is. Calibration and
    thresholds are neutral until :func:`model_training.evaluation.calibrate.calibrate` sets them.
    Raises ValueError where the two run times differ, where half precision moves too much, or where
    the file is too large.
    """
    if not crops:
        raise ValueError("the export is proved on real faces, and none were given")
    out_dir.mkdir(parents=True, exist_ok=True)
    serving = serving_model(model)
    plain = to_onnx(serving)
    fused = onnx.ModelProto()
    fused.CopyFrom(plain)
    norms = fuse_batch_norms(fused)
    whole = fused.SerializeToString()
    halved = halve_weights(fused)
    onnx.checker.check_model(fused, full_check=True)
    data = fused.SerializeToString()
    if len(data) > MAX_BYTES:
        raise ValueError(f"the model takes {len(data):,} bytes, more than {MAX_BYTES:,}")
    record: dict[str, Any] = {
        "opset": OPSET,
        "bytes": len(data),
        "parameters": serving.count_params(),
        "fused_batch_norms": norms,
        "parity": parity(serving, whole, crops, denoise),
        "fusion": compare(plain.SerializeToString(), whole, crops, denoise),
        "half_precision": {"tensors": halved, "max_moved": moved(whole, data, crops, denoise)},
        "versions": {name: installed(name) for name in ("keras", "tf2onnx", "onnx", "onnxruntime")},
    }
    _report(record)
    _check(record)
    (out_dir / MODEL_FILE).write_bytes(data)
    manifest = Manifest(
        name=name,
        version=version,
        file=MODEL_FILE,
        sha256=hashlib.sha256(data).hexdigest(),
        input_size=FRAME_SIZE,
        frame=f"FFHQ alignment, sides times {FRAME_SCALE}",
        normalisation="x / 127.5 - 1",
        denoise=denoise,
        thresholds=Thresholds(fake=0.5, real=0.5, mask=0.5),
        calibration=Calibration(scale=1.0, offset=0.0),
        min_face=min_face,
        licence=LICENCE,
        origin=ORIGIN,
        training=training or {},
        export=record,
    )
    write_manifest(manifest, out_dir / MANIFEST_FILE)
    return manifest


def to_onnx(serving: keras.Model) -> onnx.ModelProto:
    """Convert a model with one input and named outputs; input ``image``, any number of pictures.

    Keras's own export is used since tf2onnx's ``from_keras`` gives the outputs each other's names.
    """
    shape = (None, *serving.input.shape[1:])
    signature = [keras.InputSpec(shape=shape, dtype="float32", name="image")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MODEL_FILE
        serving.export(
            str(path), format="onnx", opset_version=OPSET, input_signature=signature, verbose=False
        )
        model = onnx.load(path)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return model


def parity(
    serving: keras.Model, data: bytes, crops: Sequence[Pixels], denoise: Denoise = Denoise.NONE
) -> dict[str, Any]:
    """The largest difference between Keras and ONNX Runtime over ``crops``, by output.

    Preprocessing adds none: both are fed by the code that serves.
    """

    def keras_says(batch: Floats) -> list[Floats]:
        found = serving(batch, training=False)
        return [keras.ops.convert_to_numpy(found[output]) for output in OUTPUTS]

    return {
        "pictures": len(crops),
        "max_difference": _gaps(keras_says, _runs(data), crops, denoise),
    }


def moved(
    before: bytes, after: bytes, crops: Sequence[Pixels], denoise: Denoise
) -> dict[str, float]:
    """The largest difference between two files over ``crops``, by output."""
    return _gaps(_runs(before), _runs(after), crops, denoise)


def _runs(data: bytes) -> Says:
    session = _session(data)
    return lambda batch: session.run(list(OUTPUTS), {"image": batch})


def _gaps(one: Says, other: Says, crops: Sequence[Pixels], denoise: Denoise) -> dict[str, float]:
    worst = dict.fromkeys(OUTPUTS, 0.0)
    for batch in _batches(crops, denoise):
        for output, said, also in zip(OUTPUTS, one(batch), other(batch), strict=True):
            worst[output] = max(worst[output], float(np.abs(said - also).max()))
    return worst


def compare(
    before: bytes, after: bytes, crops: Sequence[Pixels], denoise: Denoise, rounds: int = 12
) -> dict[str, Any]:
    """How much faster ``after`` runs than ``before``, and the largest difference in any output.

    For one picture and for eight, on one thread: the median over rounds of the ratio of two runs
    that follow each other, since a shared machine's speed drifts.
    """
    old, new = _session(before, threads=1), _session(after, threads=1)
    filled = [crops[index % len(crops)] for index in range(8)]
    result: dict[str, Any] = {"max_difference": 0.0}
    for count in (1, 8):
        image = prepare(filled[:count], denoise)
        feed, names = {"image": image}, list(OUTPUTS)
        ratios = []
        for _ in range(rounds):
            slow, expected = _timed(old, names, feed)
            fast, given = _timed(new, names, feed)
            ratios.append(slow / fast)
        gaps = [float(np.abs(a - b).max()) for a, b in zip(expected, given, strict=True)]
        result["max_difference"] = max(result["max_difference"], *gaps)
        result[f"speed_up_batch_{count}"] = round(statistics.median(ratios[1:]), 3)
    return result


def _timed(session: Any, names: list[str], feed: dict[str, Floats]) -> tuple[float, list[Floats]]:
    start = time.perf_counter()
    values = session.run(names, feed)
    return time.perf_counter() - start, values


def _session(data: bytes, threads: int = 0) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _batches(crops: Sequence[Pixels], denoise: Denoise) -> list[Floats]:
    return [prepare(crops[start : start + 8], denoise) for start in range(0, len(crops), 8)]


def _check(record: dict[str, Any]) -> None:
    for output, limit in MAX_DIFFERENCE.items():
        gap = record["parity"]["max_difference"][output]
        if not gap <= limit:
            raise ValueError(f"Keras and ONNX Runtime differ by {gap:.2g} in {output}")
        change = record["half_precision"]["max_moved"][output]
        if not change <= MAX_MOVED[output]:
            raise ValueError(f"half precision moves {output} by {change:.2g}")


def _report(record: dict[str, Any]) -> None:
    gaps, fusion = record["parity"]["max_difference"], record["fusion"]
    Console().print(
        f"{record['bytes'] / 1e6:.1f} MB; Keras and ONNX Runtime differ over "
        f"{record['parity']['pictures']} faces by at most {gaps['families']:.1e} in "
        f"logits and {gaps['heatmap']:.1e} in heatmap; {record['fused_batch_norms']} batch "
        f"norms fused: {fusion['speed_up_batch_1']:.2f} times as fast for one face, "
        f"{fusion['speed_up_batch_8']:.2f} for eight, outputs moved by "
        f"{fusion['max_difference']:.1e}; half precision moves a logit by at most "
        f"{record['half_precision']['max_moved']['families']:.1e}",
        highlight=False,
    )
