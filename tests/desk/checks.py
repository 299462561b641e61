"""Checks that have ended, without a queue and a worker; and pictures to make them of."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import numpy as np
from PIL import Image, ImageFilter

from unmask.report import (
    Check,
    Door,
    Face,
    Model,
    Report,
    State,
    Verdict,
)
from unmask.report import Image as ImageInfo

#: Where the face of the portrait of the tests is: x, y, width, height.
FACE = (170, 70, 110, 140)
MODEL = Model(name="stub", version="1.0.0", sha256="0" * 64)
CREATED = datetime(2026, 11, 26, tzinfo=UTC)


def jpeg(pixels: np.ndarray, quality: int = 90, width: int | None = None) -> bytes:
    """A picture as a JPEG, perhaps resized."""
    image = Image.fromarray(pixels)
    if width is not None:
        image = image.resize((width, round(image.height * width / image.width)))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def with_other_face(pixels: np.ndarray) -> np.ndarray:
    """The picture with its face turned upside down and blurred: the rest stays as it was."""
    image = Image.fromarray(pixels)
    left, top, width, height = FACE
    box = (left, top, left + width, top + height)
    face = image.crop(box).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    image.paste(face.filter(ImageFilter.GaussianBlur(2)), box)
    return np.asarray(image)


def pattern(seed: int, side: int = 96) -> np.ndarray:
    """A picture that is unlike those of other seeds: a few soft spots."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, (6, 6, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC))


class StubChecks:
    """A source of checks that a test fills."""

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}
        self.pictures: dict[str, bytes] = {}

    def add(
        self,
        data: bytes,
        probability: float | None = 0.9,
        *,
        state: State = State.DONE,
        face: bool = False,
    ) -> str:
        """The id of a new check of a picture, by default done."""
        check_id, sha256 = uuid4().hex, hashlib.sha256(data).hexdigest()
        report = self._report(check_id, sha256, data, probability, face=face)
        done = state is State.DONE
        self.pictures[check_id] = data
        self.checks[check_id] = Check(
            id=check_id,
            sha256=sha256,
            door=Door.API,
            state=state,
            created=CREATED,
            expires=CREATED + timedelta(days=1),
            verdict=report.verdict if done else None,
            fake_probability=probability if done else None,
            error={"code": "damaged"} if state is State.FAILED else None,
            model_version=MODEL.version,
            report=report if done else None,
        )
        return check_id

    def finish(self, check_id: str) -> None:
        """Let a check that was under way be done."""
        check = self.checks.pop(check_id)
        self.checks[check_id] = self.checks[self.add(self.pictures[check_id])].model_copy(
            update={"id": check.id}
        )

    @staticmethod
    def _report(
        check_id: str, sha256: str, data: bytes, probability: float | None, *, face: bool
    ) -> Report:
        with Image.open(io.BytesIO(data)) as image:
            size = image.size
        verdict = Verdict.NO_FACE if probability is None else Verdict.REAL
        verdict = Verdict.FAKE if (probability or 0) > 0.5 else verdict
        scale = size[0] / 512
        left, top, width, height = (round(value * scale) for value in FACE)
        faces = (
            Face(
                box=(left, top, width, height),
                landmarks=((0, 0), (0, 0), (0, 0), (0, 0), (0, 0)),
                fake_probability=probability or 0,
                verdict=verdict,
                tampered_fraction=0,
            ),
        )
        return Report(
            id=check_id,
            sha256=sha256,
            verdict=verdict,
            fake_probability=probability,
            statement="said by a stub",
            image=ImageInfo(width=size[0], height=size[1], format="JPEG"),
            faces=faces if face else (),
            model=MODEL,
            threshold=0.5,
        )

    async def get(self, check_id: str) -> Check | None:
        return self.checks.get(check_id)

    async def picture(self, check_id: str) -> bytes | None:
        return self.pictures.get(check_id)

    async def results(self, check_id: str, names: Sequence[str]) -> list[bytes | None]:
        return [f"{name} of a stub".encode() for name in names]
