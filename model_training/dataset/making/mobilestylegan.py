"""Whole faces by MobileStyleGAN, a StyleGAN2 of FFHQ made small.

Belousov: "MobileStyleGAN: A Lightweight Convolutional Neural Network for High-Fidelity Image
Synthesis" (2021). Its two networks come in the package random-face 2021.7.21.1 (Apache-2.0), for
OpenVINO.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from model_training.dataset.making.fakes import Fake, split_of_group, write_fakes
from model_training.dataset.making.packages import from_extra, known_file
from unmask.detector.align import Floats, Pixels

SOURCE = "mobilestylegan"
#: The files of the package, by their sha256.
FILES = {
    "MappingNetwork.xml": "73e2096cad6e696e4af47df2477e048ab4c42c0e0dec83c7c66604822689e55b",
    "MappingNetwork.bin": "212dd716bdb556e18db603ea97300d4fa3c872b878c726b2402fea80820e7305",
    "SynthesisNetwork.xml": "7918fce515243954d3e06628cb39a23902d6b1d5d02932cc0c2faee7a2aeeedd",
    "SynthesisNetwork.bin": "c7da15fa22d508c82e1c30dd6b4cdf67fe3ccdddaf85b310ee764dbf0c289645",
}
STYLE = 512
#: Styles that the mean style is taken over, the same ones for every seed.
STYLES_FOR_MEAN = 512
#: How much of a style's distance from the mean is left, drawn at random for each face: a small part
#: gives flawless faces that are alike, all of it gives varied faces with flaws.
TRUNCATION = (0.5, 1.0)
#: Side of the pictures, in pixels; the network makes 1024.
SIDE = 256

#: A network with one input and one output.
Network = Callable[[Floats], Floats]


class Generator:
    """MobileStyleGAN of its two networks: ``mapping`` makes a style (1, 512) of normal numbers
    (1, 512), ``synthesis`` a picture (1, 3, h, w) RGB in [-1, 1] of a style."""

    def __init__(self, mapping: Network, synthesis: Network) -> None:
        self._mapping, self._synthesis = mapping, synthesis

    @cached_property
    def mean_style(self) -> Floats:
        """The style that all are pulled towards (1, 512)."""
        rng = np.random.default_rng(0)
        styles = [self._mapping(_normal(rng)) for _ in range(STYLES_FOR_MEAN)]
        return np.asarray(np.mean(styles, axis=0), np.float32)

    def face(self, seed: int, number: int) -> Pixels:
        """Face ``number`` of ``seed``: RGB (256, 256, 3)."""
        rng = np.random.default_rng([seed, number])
        style = self._mapping(_normal(rng))
        kept = np.float32(rng.uniform(*TRUNCATION))
        image = self._synthesis(self.mean_style + kept * (style - self.mean_style))
        pixels = np.clip((image[0].transpose(1, 2, 0) + 1) * 127.5, 0, 255).astype(np.float32)
        small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        return np.asarray(np.round(small), np.uint8)


def make_faces(generator: Generator, count: int, seed: int, out: Path) -> int:
    """Make ``count`` faces into ``out``, as far as they are not there; return how many that were.

    A face depends on seed and number alone, so a larger ``count`` adds to a smaller one.
    """
    names = [f"{seed}-{number:05}" for number in range(count)]
    groups = [f"{SOURCE}/{name}" for name in names]
    fakes = [
        Fake(
            file=f"images/{SOURCE}/fake/{name}.jpg",
            split=split_of_group(group),
            kind=SOURCE,
            source=SOURCE,
            group=group,
            make=partial(generator.face, seed, number),
        )
        for number, (name, group) in enumerate(zip(names, groups, strict=True))
    ]
    return write_fakes(fakes, out)


def load_generator(package: Path) -> Generator:
    """The generator of random-face: its wheel, or a folder that it was unpacked or installed to.

    Raises ValueError for another package, and where OpenVINO is missing.
    """
    files = {name: known_file(package, name, sha256) for name, sha256 in FILES.items()}
    core = from_extra("openvino").Core()
    # in float32 whatever the processor offers: bfloat16 would leave traces of its own
    precision = {"INFERENCE_PRECISION_HINT": "f32"}

    def network(name: str) -> Network:
        model = core.read_model(files[f"{name}.xml"], files[f"{name}.bin"])
        return partial(_run, core.compile_model(model, "CPU", precision))

    return Generator(network("MappingNetwork"), network("SynthesisNetwork"))


def _run(network: Any, values: Floats) -> Floats:
    return np.array(network([values])[0], np.float32)


def _normal(rng: np.random.Generator) -> Floats:
    return rng.standard_normal((1, STYLE), np.float32)
