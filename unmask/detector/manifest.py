"""The model's manifest: everything about a model file that serving must know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unmask.detector.preprocess import Denoise
from unmask.errors import UnmaskError


class Thresholds(BaseModel):
    """Bounds on the calibrated probability, fixed on the validation split.

    At or above ``fake`` a face is called fake, below ``real`` nothing was found, between them
    the verdict is unsure. ``mask`` is the bound on the heatmap.
    """

    model_config = ConfigDict(frozen=True)

    fake: float = Field(ge=0, le=1)
    real: float = Field(ge=0, le=1)
    mask: float = Field(ge=0, le=1)


class Calibration(BaseModel):
    """Platt scaling of the network's logit: probability = sigmoid(scale * logit + offset).

    Platt, "Probabilistic outputs for support vector machines" (1999).
    """

    model_config = ConfigDict(frozen=True)

    scale: float = Field(gt=0)
    offset: float


class Manifest(BaseModel):
    """manifest.json beside the model file."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    file: str
    sha256: str
    input_size: int = Field(gt=0)
    frame: str
    normalisation: str
    denoise: Denoise = Denoise.NONE
    thresholds: Thresholds
    calibration: Calibration
    min_face: int = Field(0, ge=0, description="Smaller frames, in pixels, are not called fake.")
    training: dict[str, Any] = {}
    metrics: dict[str, Any] = {}
    export: dict[str, Any] = {}


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
