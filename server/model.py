"""The public facts about the model, read from its manifest without the model's run time."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from unmask.detector.manifest import Thresholds, load_manifest
from unmask.settings import Settings


class PublicModel(BaseModel):
    """Which model judges, with which bounds, and how well it did when it was tested."""

    name: str
    version: str
    sha256: str
    input_size: int
    min_face: int
    thresholds: Thresholds
    metrics: dict[str, Any]


def public_model(settings: Settings) -> PublicModel:
    """The shipped model; raises ``model_missing`` or ``model_mismatch``."""
    manifest = load_manifest(settings.model)
    return PublicModel.model_validate(manifest.model_dump(include=set(PublicModel.model_fields)))
