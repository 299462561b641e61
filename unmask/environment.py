"""What a command takes from its environment: the settings, and who may read its files."""

from __future__ import annotations

import os
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


def make_files_private() -> None:
    """Let the files and folders that this process makes be read by its own account alone."""
    os.umask(0o077)


def make_private_folder(path: Path) -> None:
    """Make a folder that its owner alone can read; one of ours that others can read is closed.

    Raises OSError.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = path.stat()
    if state.st_uid == os.getuid() and state.st_mode & 0o077:
        path.chmod(0o700)


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
