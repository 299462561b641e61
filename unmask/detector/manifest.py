"""The model's manifest: everything about a model file that serving must know."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unmask.detector.preprocess import Denoise
from unmask.errors import UnmaskError


class FamilyWise(BaseModel):
    """How the bounds rise with the number n of faces, any of which may stand out by chance.

    The logit of the bound for "fake" is ``offset + scale * ln(n)``, which keeps false alarms rare:
    each face may be called fake with an n-th of the chance that a picture may (Bonferroni's
    inequality), and the logits of real faces fall off exponentially, ``scale`` being their mean
    excess: Davison & Smith, "Models for exceedances over high thresholds" (1990), of shape 0.
    The logit of the bound for "real" rises by ``real_scale * ln(n)``, so that groups of real people
    are cleared as well.
    """

    model_config = ConfigDict(frozen=True)

    offset: float
    scale: float = Field(ge=0)
    real_scale: float = Field(0.0, ge=0)


#: The highest probability at which "no sign was found" can be said of a face among others.
MOST_CLEARED = 0.5


class Thresholds(BaseModel):
    """Bounds on the calibrated probability, fixed on the validation split.

    At or above ``fake`` a face is called fake, below ``real`` nothing was found, between them
    the verdict is unsure. ``mask`` is the bound on the heatmap. ``family`` raises ``fake``
    and ``real`` where there are several faces.
    """

    model_config = ConfigDict(frozen=True)

    fake: float = Field(ge=0, le=1)
    real: float = Field(ge=0, le=1)
    mask: float = Field(ge=0, le=1)
    family: FamilyWise | None = None

    def fake_among(self, faces: int) -> float:
        """The bound for "fake" in a picture of so many faces: never less than ``fake``."""
        if self.family is None or faces <= 1:
            return self.fake
        logit = self.family.offset + self.family.scale * math.log(faces)
        return max(self.fake, 1 / (1 + math.exp(-logit)))

    def real_among(self, faces: int) -> float:
        """The bound for "real" in a picture of so many faces: never less than ``real``, and never
        so high that a face would be cleared that is more likely fake than not."""
        if self.family is None or faces <= 1 or not 0 < self.real < MOST_CLEARED:
            return self.real
        odds = self.real / (1 - self.real) * math.pow(faces, self.family.real_scale)
        return min(MOST_CLEARED, odds / (1 + odds))


class Calibration(BaseModel):
    """Platt scaling of the network's logit: probability = sigmoid(scale * logit + offset).

    Platt, "Probabilistic outputs for support vector machines" (1999).
    """

    model_config = ConfigDict(frozen=True)

    scale: float = Field(gt=0)
    offset: float


class ModelFile(BaseModel):
    """A file that the model needs, beside the manifest, with where its contents come from."""

    model_config = ConfigDict(frozen=True)

    file: str
    sha256: str
    licence: str = ""
    origin: str = ""


class ClipFiles(BaseModel):
    """CLIP's image tower as it was published, what training changed in it, the heads, and the head
    that tells which parts of a face are covered."""

    model_config = ConfigDict(frozen=True)

    tower: ModelFile
    tuned: ModelFile
    heads: ModelFile
    cover: ModelFile | None = None


#: The judges that a model may have, in the order of their opinions.
DENSENET, CLIP = "densenet121", "clip"


class Joining(BaseModel):
    """How the judges' opinions become one.

    ``weights`` are the judges' shares in the logit of each head, ``heatmap`` their shares in the
    heatmap. The face's logit is that of its most suspicious family, plus ``any_weight`` times that
    of the head over all fakes: a fake need show the traces of one family only.
    """

    model_config = ConfigDict(frozen=True)

    weights: dict[str, float] = {DENSENET: 1.0}
    heatmap: dict[str, float] = {DENSENET: 1.0}
    any_weight: float = Field(0.5, ge=0)


class OpinionScale(BaseModel):
    """What one judge's own logit means: ``calibration`` makes it a probability, and below ``real``
    this judge alone would say that it found nothing."""

    model_config = ConfigDict(frozen=True)

    calibration: Calibration
    real: float = Field(ge=0, le=1)


class Visibility(BaseModel):
    """How much of a face must be seen for it to be judged; fixed on the validation split.

    A face of which the share ``covered`` or more is hidden is not cleared. One whose eyes lie less
    than ``eyes_apart`` from each other, in distances from eyes to mouth, is in profile: unsure.
    """

    model_config = ConfigDict(frozen=True)

    covered: float = Field(1.0, ge=0, le=1)
    eyes_apart: float = Field(0.0, ge=0)


class Quantised(BaseModel):
    """How a DenseNet121 of 8-bit products was made: ``of`` is the sha256 of the network in single
    precision, ``engine`` the run time that it suits, ``faces`` those that it was calibrated on,
    ``convolutions`` those that multiply 8-bit numbers."""

    model_config = ConfigDict(frozen=True)

    of: str
    engine: str
    faces: int = Field(gt=0)
    convolutions: int = Field(gt=0)


class Manifest(BaseModel):
    """manifest.json beside the model's files.

    ``file`` and ``sha256`` are the DenseNet121's, and ``quantised`` tells what it was made of,
    where it multiplies 8-bit numbers; ``clip`` names those of a second judge, where the model has
    one, and ``opinions`` says what each judge's own word means.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    file: str
    sha256: str
    licence: str = ""
    origin: str = ""
    quantised: Quantised | None = None
    clip: ClipFiles | None = None
    joining: Joining = Joining()
    opinions: dict[str, OpinionScale] = {}
    input_size: int = Field(gt=0)
    frame: str
    normalisation: str
    denoise: Denoise = Denoise.NONE
    thresholds: Thresholds
    calibration: Calibration
    min_face: int = Field(0, ge=0, description="Smaller frames, in pixels, are not called fake.")
    visibility: Visibility = Visibility()
    training: dict[str, Any] = {}
    metrics: dict[str, Any] = {}
    export: dict[str, Any] = {}

    @property
    def judges(self) -> tuple[str, ...]:
        """The names of the judges, in the order of their opinions."""
        return (DENSENET,) if self.clip is None else (DENSENET, CLIP)


def load_manifest(path: Path) -> Manifest:
    """Read a manifest; raises ``model_missing`` or ``model_mismatch``."""
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UnmaskError(
            "model_missing", f"There is no model manifest at {path}.", path=str(path)
        ) from error
    except ValidationError as error:
        raise UnmaskError(
            "model_mismatch",
            f"{path} is not a model manifest that this version reads.",
            path=str(path),
            problems=json.loads(error.json(include_url=False, include_context=False)),
        ) from error
