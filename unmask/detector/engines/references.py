"""Stores the faces of the self-test with ONNX Runtime's answers on them.

    python -m unmask.detector.engines.references [--faces PHOTO...]

writes ``unmask/detector/models/self-test.npz``: after a change of the model without ``--faces``,
which keeps the faces that are there. With it the largest face of each photo takes their place.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from unmask.detector.align import Pixels, align_face, frame_quad
from unmask.detector.classifier import Classifier
from unmask.detector.engines.onnxruntime import on_cpu
from unmask.detector.engines.protocol import Engines
from unmask.detector.engines.selftest import STORED, identity, stored_faces
from unmask.detector.faces import FaceFinder
from unmask.detector.preprocess import prepare
from unmask.settings import SHIPPED_MODEL


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description="Stores the answers that engines are held against")
    parser.add_argument("--faces", type=Path, nargs="+", metavar="PHOTO", help="other faces")
    options = parser.parse_args()
    faces = faces_of(options.faces) if options.faces else unmirrored()
    store(faces, SHIPPED_MODEL, STORED)
    sys.stdout.write(f"written: {STORED}, {len(faces)} faces\n")


def store(faces: list[Pixels], model: Path, path: Path) -> None:
    """Write ``faces`` with what the model of a manifest says of them, and of them mirrored, on
    ONNX Runtime's CPU."""
    classifier = Classifier(model, engines=Engines.same(on_cpu(1)))
    every = [*faces, *(np.ascontiguousarray(face[:, ::-1]) for face in faces)]
    answers = classifier.answers(prepare(every, classifier.manifest.denoise))
    np.savez_compressed(
        path,
        faces=np.stack(faces),
        model=np.array(identity(classifier.manifest)),
        families=answers.families,
        heatmaps=answers.heatmaps.astype(np.float16),
        covered=answers.covered,
    )


def faces_of(photos: list[Path]) -> list[Pixels]:
    """The largest face of each photo. Raises ValueError for a photo without one."""
    faces: list[Pixels] = []
    finder = FaceFinder(1)
    for photo in photos:
        pixels = np.ascontiguousarray(np.asarray(cv2.imread(str(photo)), np.uint8)[:, :, ::-1])
        places = finder.find(pixels)
        if not places:
            raise ValueError(f"{photo} shows no face")
        faces.append(align_face(pixels, frame_quad(places[0].landmarks)))
    return faces


def unmirrored() -> list[Pixels]:
    """The faces that are stored, once each."""
    faces = stored_faces()
    return faces[: len(faces) // 2]


if __name__ == "__main__":
    main()
