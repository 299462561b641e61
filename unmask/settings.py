"""Every setting once, typed; read from the environment as ``UNMASK_*``.

The settings are made by the entry points and handed down; nothing reads them at import.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

SHIPPED_MODEL = Path(__file__).parent / "detector" / "models" / "manifest.json"


class Settings(BaseSettings):
    """The settings of every part of Unmask, with their defaults."""

    model_config = SettingsConfigDict(env_prefix="UNMASK_", frozen=True, extra="ignore")

    model: Path = Field(SHIPPED_MODEL, description="Manifest of the detector's model.")
    max_bytes: int = Field(20_000_000, gt=0, description="Largest picture file, in bytes.")
    max_pixels: int = Field(50_000_000, gt=0, description="Largest picture, in pixels.")
    min_side: int = Field(16, gt=0, description="Shortest side that is examined, in pixels.")
    max_side: int = Field(30_000, gt=0, description="Longest side that is examined, in pixels.")
    max_frames: int = Field(1_000, gt=0, description="Most frames of an animation.")
    max_faces: int = Field(32, gt=0, description="Most faces examined in one picture.")
    batch_size: int = Field(8, gt=0, description="Most pictures examined together.")
    threads: int = Field(0, ge=0, description="Threads of the model's run time; 0: one a core.")
