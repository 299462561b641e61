"""TAEF2, the small autoencoder in the likeness of FLUX.2's, as its weights lay it out.

The weights are taef2_encoder.pth and taef2_decoder.pth of github.com/madebyollin/taesd at 5cccb12
(MIT). A picture goes in and out again in the same size, with what the decoder leaves in it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from model_training.dataset.making.packages import from_extra, known_file
from unmask.detector.align import Floats, Pixels

#: The files of the weights, by their sha256.
ENCODER_FILE, DECODER_FILE = "taef2_encoder.pth", "taef2_decoder.pth"
FILES = {
    ENCODER_FILE: "10a4e1021e89d7551eaf161352da8dbd0b1aa83872ae28b150c1df1ce2f147b6",
    DECODER_FILE: "0a44a31e1ae59eb9dbf9359d24942fd3ef5928162c1800d97a28c61d51be0ab5",
}
#: The layers; each one's place is its number in the names of the weights.
ENCODER = ("conv block" + " half block block block" * 3 + " conv").split()
DECODER = ("bound conv relu" + " block block block double conv" * 3 + " block conv").split()
#: Side of the square of pixels that one place of the latent picture stands for.
STEP = 8
#: Groups of the normalisation in a block. No weight tells it: with any other number a photograph
#: comes back far worse.
GROUPS = 4
#: Most that a latent value can be.
BOUND = 3.0

#: Pictures (1, 3, h, w) RGB in [0, 1] to the like, h and w multiples of STEP.
Network = Callable[[Floats], Floats]
Tensor = Any
Weights = Mapping[str, Tensor]


def passed_through(network: Network, pixels: Pixels) -> Pixels:
    """A picture RGB (h, w, 3) as it comes out of the autoencoder; edges are repeated for it to
    where it fits."""
    height, width = pixels.shape[:2]
    fitting = np.pad(pixels, ((0, -height % STEP), (0, -width % STEP), (0, 0)), "edge")
    planes = fitting.transpose(2, 0, 1)[None].astype(np.float32) / np.float32(255)
    shown = network(planes)[0].transpose(1, 2, 0)[:height, :width]
    return np.asarray(np.round(np.clip(shown, 0, 1) * 255), np.uint8)


def load_network(folder: Path) -> Network:
    """Encoder and decoder as one. Raises ValueError for other weights, or where PyTorch is
    missing."""
    files = {name: known_file(folder, name, sha256) for name, sha256 in FILES.items()}
    torch = from_extra("torch")
    encode = _Layers(torch, ENCODER, _weights(torch, files[ENCODER_FILE]))
    decode = _Layers(torch, DECODER, _weights(torch, files[DECODER_FILE]))

    def network(planes: Floats) -> Floats:
        with torch.inference_mode():
            shown = decode(encode(torch.from_numpy(planes)))
            return np.asarray(shown.numpy(), np.float32)

    return network


def _weights(torch: Any, data: bytes) -> Weights:
    """In float32; the files hold half precision."""
    state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    return {name: values.float() for name, values in state.items()}


class _Layers:
    """Encoder or decoder: layers one after the other, each a function of its name and input."""

    def __init__(self, torch: Any, layers: Sequence[str], weights: Weights) -> None:
        self._torch, self._layers, self._weights = torch, layers, weights
        self._steps: Mapping[str, Callable[[str, Tensor], Tensor]] = {
            "conv": self._conv,
            "block": self._block,
            "half": partial(self._conv, stride=2),
            "double": lambda _, x: torch.nn.functional.interpolate(x, scale_factor=2),
            "relu": lambda _, x: torch.relu(x),
            "bound": lambda _, x: torch.tanh(x / BOUND) * BOUND,
        }

    def __call__(self, x: Tensor) -> Tensor:
        for number, layer in enumerate(self._layers):
            x = self._steps[layer](str(number), x)
        return x

    def _conv(self, name: str, x: Tensor, stride: int = 1) -> Tensor:
        kernel, bias = self._weights[f"{name}.weight"], self._weights.get(f"{name}.bias")
        return self._torch.nn.functional.conv2d(x, kernel, bias, stride, kernel.shape[-1] // 2)

    def _block(self, name: str, x: Tensor) -> Tensor:
        """A residual block of three convolutions; at the lowest size a pointwise branch goes
        before, which knows of the whole picture by its normalisation."""
        relu = self._torch.relu
        if f"{name}.pool.0.weight" in self._weights:
            scale, shift = (self._weights[f"{name}.pool.1.{part}"] for part in ("weight", "bias"))
            wide = self._conv(f"{name}.pool.0", x)
            wide = self._torch.nn.functional.group_norm(wide, GROUPS, scale, shift)
            x = x + self._conv(f"{name}.pool.3", relu(wide))
        y = self._conv(f"{name}.conv.0", x)
        for place in ("conv.2", "conv.4"):
            y = self._conv(f"{name}.{place}", relu(y))
        return relu(x + y)
