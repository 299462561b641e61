"""Makes the example of the README: a portrait, a fake made of it, and what Unmask says of both."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from model_training.dataset.fakes.blends import self_blend
from unmask.detector.detector import Detector
from unmask.detector.encoding import encode_jpeg, encode_png
from unmask.detector.faces import FaceFinder
from unmask.errors import UnmaskError
from unmask.images import open_picture
from unmask.settings import Settings

#: The part of the portrait that is shown (rows, columns): as it was taken, not enlarged.
SHOWN = (slice(0, 300), slice(60, 400))
#: Chosen among 400 as the one whose fake looks most suspicious to the model.
SEED = 378


def make_example(out: Path) -> None:
    """Write portrait.jpg, fake.jpg and, for each, NAME.annotated.jpg and NAME.mask.png.

    The portrait is NASA's of the astronaut Eileen Collins, in the public domain, from scikit-image.
    """
    from skimage.data import astronaut

    out.mkdir(parents=True, exist_ok=True)
    portrait = np.ascontiguousarray(astronaut()[SHOWN])
    landmarks = FaceFinder().find(portrait)[0].landmarks
    fake, _ = self_blend(np.random.default_rng(SEED), portrait, landmarks)
    settings = Settings()
    detector = Detector(settings)
    for name, pixels in (("portrait", portrait), ("fake", fake)):
        data = encode_jpeg(pixels)
        (out / f"{name}.jpg").write_bytes(data)
        (found,) = detector.examine([open_picture(data, settings)])
        if isinstance(found, UnmaskError):
            raise found
        (out / f"{name}.annotated.jpg").write_bytes(encode_jpeg(found.annotated()))
        (out / f"{name}.mask.png").write_bytes(encode_png(found.mask()))
