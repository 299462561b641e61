"""What a network's tensors hold on real faces: the ranges that 8-bit numbers have to span."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
from onnx import helper

from unmask.detector.align import Floats

#: Faces in one run, and places that are kept of each map of each face.
BATCH, PLACES = 4, 12
#: Of an 8-bit number.
LEVELS = 255
#: Parts of the widest range that are tried: a narrower one cuts off the rare and rounds the rest
#: more finely.
PARTS = np.linspace(0.3, 1.0, 29)


@dataclass(frozen=True)
class Observed:
    """A tensor of c channels: ``least`` and ``greatest`` (c,) of all values, and a ``sample``
    (n, c) of values, drawn from all faces and places."""

    least: Floats
    greatest: Floats
    sample: Floats


def observe(
    model: onnx.ModelProto, names: Sequence[str], images: Floats, seed: int = 0
) -> dict[str, Observed]:
    """Run ``model`` on faces (n, 224, 224, 3), RGB in [-1, 1], and tell what the named tensors
    (n, c, h, w) hold."""
    session = _showing(model, names)
    random = np.random.default_rng(seed)
    least: dict[str, list[Floats]] = {name: [] for name in names}
    greatest: dict[str, list[Floats]] = {name: [] for name in names}
    samples: dict[str, list[Floats]] = {name: [] for name in names}
    for start in range(0, len(images), BATCH):
        values = session.run(list(names), {"image": images[start : start + BATCH]})
        for name, value in zip(names, values, strict=True):
            flat = value.reshape(*value.shape[:2], -1)
            places = random.integers(0, flat.shape[2], (len(flat), PLACES))
            drawn = np.take_along_axis(flat, places[:, None, :], 2)
            least[name].append(flat.min((0, 2)))
            greatest[name].append(flat.max((0, 2)))
            samples[name].append(drawn.transpose(0, 2, 1).reshape(-1, flat.shape[1]))
    return {
        name: Observed(
            np.min(least[name], axis=0), np.max(greatest[name], axis=0), np.vstack(samples[name])
        )
        for name in names
    }


def best_range(seen: Observed) -> tuple[float, float]:
    """The range of unsigned 8-bit numbers that changes a tensor's sample the least, by the mean
    square. It holds 0, and is a part of the range of all values."""
    low, high = min(float(seen.least.min()), 0.0), max(float(seen.greatest.max()), 1e-6)
    errors = [_error(seen.sample, (low * part, high * part)) for part in PARTS]
    part = float(PARTS[int(np.argmin(errors))])
    return low * part, high * part


def rounded(values: Floats, span: tuple[float, float]) -> Floats:
    """``values`` as unsigned 8-bit numbers over ``span`` have them."""
    step = (span[1] - span[0]) / LEVELS
    zero = round(-span[0] / step)
    whole = np.clip(np.rint(values / step) + zero, 0, LEVELS) - zero
    return np.asarray(whole * step, np.float32)


def _error(values: Floats, span: tuple[float, float]) -> float:
    return float(np.square(rounded(values, span) - values).mean())


def _showing(model: onnx.ModelProto, names: Iterable[str]) -> onnxruntime.InferenceSession:
    """A session over ``model`` with the named tensors as outputs."""
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    known = {value.name for value in shown.graph.output}
    shown.graph.output.extend(
        helper.make_empty_tensor_value_info(name) for name in names if name not in known
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        shown.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
