"""What each network costs on each engine, against ONNX Runtime in single precision.

``python -m benchmarks.engines [--rounds 15]`` runs the shipped networks on one face of the
self-test and writes benchmarks/results/engines.json. One thread. The variants take turns, so that
what else the machine does falls on all of them; the figures are medians of processor time, in units
of ONNX Runtime's in single precision. Needs the extras ``openvino`` and ``dev``.

The tower's file holds 8-bit matrices. For the baseline they are widened, once, to single precision.

``--quantised FOLDER...`` also times the DenseNet121s of folders that ``python -m model_training
quantise`` wrote. Where OpenVINO is kept from bfloat16 and AMX (``ONEDNN_MAX_CPU_ISA=
AVX512_CORE_VNNI``), ``--out benchmarks/results/engines_vnni.json`` keeps what a processor without
them may expect; its bfloat16 is left out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import helper, numpy_helper

from unmask.detector.engines.onnxruntime import on_cpu
from unmask.detector.engines.openvino import BFLOAT16, SINGLE, OpenVino
from unmask.detector.engines.processor import described
from unmask.detector.engines.protocol import Network, NetworkFile
from unmask.detector.engines.selftest import stored_faces
from unmask.detector.manifest import load_manifest
from unmask.detector.preprocess import prepare
from unmask.settings import SHIPPED_MODEL

RESULT = Path(__file__).parent / "results" / "engines.json"
TOKENS = ["tokens_3", "tokens_6", "tokens_9", "tokens_12"]
DENSENET, TOWER, HEADS = "densenet121", "clip_tower", "clip_heads"
OUTPUTS = {DENSENET: ["families", "heatmap"], TOWER: TOKENS, HEADS: ["families", "heatmap"]}
BATCHES = (1, 2, 4, 8)
#: What keeps OpenVINO from some of the processor's instructions, and its precisions then.
LIMIT = "ONEDNN_MAX_CPU_ISA"
PRECISIONS = (SINGLE,) if LIMIT in os.environ else (SINGLE, BFLOAT16)
FLOAT, SHIPPED = "onnxruntime f32", "onnxruntime as stored"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quantised", type=Path, nargs="+", default=[], metavar="FOLDER")
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        networks = opened(Path(folder))
    for home in options.quantised:
        networks[DENSENET] |= quantised(home)
    result = measured(networks, options.rounds)
    if LIMIT not in os.environ:
        result["a_face_in_batches"] = in_batches(networks, max(options.rounds // 2, 3))
    print(json.dumps(result, indent=2))
    options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def opened(folder: Path) -> dict[str, dict[str, Network]]:
    """Each network on each variant, with one thread."""
    manifest, home = load_manifest(SHIPPED_MODEL), SHIPPED_MODEL.parent
    if manifest.clip is None:
        raise ValueError("the shipped model has no CLIP")
    with np.load(home / manifest.clip.tuned.file) as stored:
        tuned = {name: stored[name] for name in stored.files}
    tower, heads = manifest.clip.tower, manifest.clip.heads
    files = {
        DENSENET: NetworkFile(home / manifest.file, manifest.sha256),
        TOWER: NetworkFile(home / tower.file, tower.sha256, tuned),
        HEADS: NetworkFile(home / heads.file, heads.sha256),
    }
    variants = {name: {SHIPPED: on_cpu(1).open(file)} for name, file in files.items()}
    for name, file in files.items():
        wide = file if name != TOWER else widened(file, folder / "wide.onnx")
        variants[name][FLOAT] = on_cpu(1).open(wide)
        for precision in PRECISIONS:
            variants[name][f"openvino {precision}"] = openvino_in(precision).open(file)
    return variants


def openvino_in(precision: str) -> OpenVino:
    """OpenVINO with one thread, whose numbers are of a precision."""
    engine = OpenVino(1)
    engine.precision = precision
    return engine


def quantised(home: Path) -> dict[str, Network]:
    """The 8-bit DenseNet121 of a folder on the engine that it was made for; on OpenVINO with what
    is left of it in each precision."""
    manifest = load_manifest(home / "manifest.json")
    form, file = manifest.quantised, NetworkFile(home / manifest.file, manifest.sha256)
    if form is None:
        raise ValueError(f"{home} holds no network of 8 bits")
    if form.engine != "openvino":
        return {f"{form.engine} 8 bits": on_cpu(1).open(file)}
    return {f"openvino 8 bits, {each}": openvino_in(each).open(file) for each in PRECISIONS}


def widened(file: NetworkFile, path: Path) -> NetworkFile:
    """The tower with single-precision matrices, and tokens that are not rounded."""
    model = onnx.load(file.path)
    graph = model.graph
    arrays = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    arrays |= dict(file.weights)
    makers = {node.output[0]: node for node in graph.node}
    renamed: dict[str, str] = {}
    for node in graph.node:
        if node.op_type != "MatMulIntegerToFloat":
            continue
        whole, kernel, _, factor, _ = node.input
        name = f"{kernel}/wide"
        matrix = arrays[kernel].astype(np.float32) * arrays[factor]
        graph.initializer.append(numpy_helper.from_array(matrix, name))
        tokens = makers[makers[whole].input[0]].input[0]
        node.CopyFrom(helper.make_node("MatMul", [tokens, name], list(node.output)))
        renamed[next(n.output[0] for n in graph.node if node.output[0] in n.input)] = node.output[0]
    for node in graph.node:
        for number, name in enumerate(node.input):
            node.input[number] = renamed.get(name, name)
    drop_unread(graph)
    onnx.save(model, path)
    names = {each.name for each in graph.initializer}
    weights = {name: array for name, array in file.weights.items() if name in names}
    return NetworkFile(path, hashlib.sha256(path.read_bytes()).hexdigest(), weights)


def drop_unread(graph: onnx.GraphProto) -> None:
    """Drop the nodes and constants that no output hangs on."""
    read = {value.name for value in graph.output}
    kept = []
    for node in reversed(graph.node):
        if read & set(node.output):
            read.update(node.input)
            kept.append(node)
    constants = [each for each in graph.initializer if each.name in read]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(reversed(kept))
    graph.initializer.extend(constants)


def measured(networks: Mapping[str, Mapping[str, Network]], rounds: int) -> dict[str, Any]:
    face = prepare(stored_faces()[:1])
    tokens = networks[TOWER][SHIPPED].run(TOKENS, {"image": face})
    feeds: dict[str, dict[str, Any]] = {
        DENSENET: {"image": face},
        TOWER: {"image": face},
        HEADS: dict(zip(TOKENS, tokens, strict=True)),
    }
    taken: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds + 1):
        for name, variants in networks.items():
            for variant, network in variants.items():
                start = time.process_time()
                network.run(OUTPUTS[name], feeds[name])
                taken.setdefault((name, variant), []).append(time.process_time() - start)
    middle = {key: median(values[1:]) for key, values in taken.items()}
    variants = list(networks[TOWER])
    ratios = {
        name: {each: round(middle[name, FLOAT] / middle[name, each], 2) for each in own}
        for name, own in networks.items()
    }
    whole = {each: sum(middle[name, each] for name in networks) for each in variants}
    if BFLOAT16 in PRECISIONS:
        whole["auto"] = whole[SHIPPED] - middle[DENSENET, SHIPPED]
        whole["auto"] += middle[DENSENET, f"openvino {BFLOAT16}"]
    return {
        "processor": described(),
        "openvino_limited_to": os.environ.get(LIMIT),
        "versions": {"onnxruntime": onnxruntime.__version__, "openvino": openvino.__version__},
        "rounds": rounds,
        "faster_than_onnxruntime_f32": {
            **ratios,
            "all": {each: round(whole[FLOAT] / value, 2) for each, value in whole.items()},
        },
        "share_of_the_models_time_as_shipped": {
            name: round(middle[name, SHIPPED] / whole[SHIPPED], 3) for name in networks
        },
    }


def in_batches(networks: Mapping[str, Mapping[str, Network]], rounds: int) -> dict[str, Any]:
    """What a face costs in runs of several, in units of what it costs alone."""
    faces = prepare([*stored_faces(), *stored_faces()])
    taken: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds + 1):
        for name in (DENSENET, TOWER):
            for variant in (SHIPPED, f"openvino {BFLOAT16}"):
                for size in BATCHES:
                    begun = time.process_time()
                    for start in range(0, len(faces), size):
                        images = {"image": faces[start : start + size]}
                        networks[name][variant].run(OUTPUTS[name], images)
                    passed = time.process_time() - begun
                    taken.setdefault((f"{name}, {variant}", size), []).append(passed)
    middle = {key: median(values[1:]) for key, values in taken.items()}
    names = dict.fromkeys(name for name, _ in middle)
    return {
        name: {str(size): round(middle[name, size] / middle[name, 1], 2) for size in BATCHES}
        for name in names
    }


if __name__ == "__main__":
    main()
