"""The settings of a command: from the environment, with those that its options replace."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from unmask.errors import SettingsError
from unmask.settings import Settings


def read_settings(model: Path | None = None) -> Settings:
    """The settings; ``model`` (a manifest, or the folder that holds it) replaces UNMASK_MODEL.

    Raises :class:`SettingsError`, whose message names each invalid variable.
    """
    try:
        settings = Settings() if model is None else Settings(model=model)
    except ValidationError as fault:
        raise SettingsError(_problems(fault)) from fault
    if settings.model.is_dir():
        settings = settings.model_copy(update={"model": settings.model / "manifest.json"})
    return settings


def _problems(fault: ValidationError) -> str:
    """One line that names each invalid variable."""
    return "; ".join(
        f"{_variable(error['loc'])}={error['input']}: {error['msg']}"
        for error in fault.errors(include_url=False)
    )


def _variable(place: tuple[int | str, ...]) -> str:
    """The variable of a setting, which pydantic calls by its field or by its alias."""
    name = "_".join(map(str, place)).upper()
    return f"UNMASK_{name.removeprefix('UNMASK_')}"
