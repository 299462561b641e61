"""A made data set and the stand-in model for it: what is in natural colours is fake."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper

from tests.models import colour_model, sha256, write_colour_model, write_two_judges

Pixels = npt.NDArray[np.uint8]


def write_model(folder: Path) -> Path:
    """The colour model with the third output of a trained one, ``activation`` (n, 7, 7, 1)."""
    return _activated(write_colour_model(folder), colour_model())


def write_pair(folder: Path, **values: Any) -> Path:
    """The same with a second judge."""
    return _activated(write_two_judges(folder, **values), colour_model(heads=5))


def _activated(path: Path, data: bytes) -> Path:
    model = onnx.load_model_from_string(data)
    pooling = {"kernel_shape": [32, 32], "strides": [32, 32]}
    model.graph.node.append(helper.make_node("AveragePool", ["planes"], ["coarse"], **pooling))
    model.graph.node.append(
        helper.make_node("Transpose", ["coarse"], ["activation"], perm=[0, 2, 3, 1])
    )
    shape = ["n", 7, 7, 1]
    model.graph.output.append(helper.make_tensor_value_info("activation", TensorProto.FLOAT, shape))
    data = model.SerializeToString()
    (path.parent / "colour.onnx").write_bytes(data)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"sha256": sha256(data)}))
    return path


def write_faces(folder: Path, portrait: Pixels, each: int = 6) -> Path:
    """A data set of crops of one portrait, ``each`` of every kind and split.

    Reals have red and blue swapped, more or less; "whole" fakes are in natural colours, "local"
    ones only within an ellipse on the face, which is their true mask. Two pictures make a group.
    One real test picture holds no face.
    """
    random = np.random.default_rng(0)
    records = []
    for split in ("val", "test"):
        for kind in ("camera", "whole", "local"):
            for index in range(each):
                pixels, mask = _picture(portrait, kind, random)
                if (split, kind, index) == ("test", "camera", 0):
                    pixels = np.full_like(pixels, 90)
                name = f"{split}-{kind}-{index}"
                cv2.imwrite(str(folder / f"{name}.png"), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
                if kind == "local":
                    cv2.imwrite(str(folder / f"{name}-mask.png"), mask)
                records.append(
                    {
                        "file": f"{name}.png",
                        "split": split,
                        "label": "real" if kind == "camera" else "fake",
                        "kind": kind,
                        "source": "mixed" if kind != "whole" else "synthetic",
                        "group": f"{split}-{kind}-{index // 2}",
                        "mask": f"{name}-mask.png" if kind == "local" else "",
                    }
                )
    with (folder / "faces.csv").open("w", newline="") as lines:
        writer = csv.DictWriter(lines, records[0].keys())
        writer.writeheader()
        writer.writerows(records)
    return folder


def _picture(
    portrait: Pixels, kind: str, random: np.random.Generator
) -> tuple[Pixels, npt.NDArray[np.uint8]]:
    left, top = random.integers(85, 105), random.integers(0, 12)
    natural = portrait[top : top + 240, left : left + 240].astype(np.float64)
    swapped = natural[..., ::-1]
    share = random.uniform(0.75, 1.0)
    dull = share * swapped + (1 - share) * natural
    mask = np.zeros((240, 240), np.uint8)
    cv2.ellipse(mask, (int(224 - left), int(112 - top)), (32, 42), 0, 0, 360, 255, -1)
    pixels = {
        "camera": dull,
        "whole": (1 - share) * swapped + share * natural,
        "local": np.where(mask[..., None] > 0, natural, dull),
    }[kind]
    return np.round(pixels).astype(np.uint8), mask
