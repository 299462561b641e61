"""``unmask model``: prints the model's manifest."""

from __future__ import annotations

import argparse
import json
import sys

from unmask.environment import read_settings
from unmask.errors import Exit, UnmaskError


def run(options: argparse.Namespace) -> int:
    """Print the manifest as it stands; returns the exit status.

    The detector's own reader is not used: it would load OpenCV, which takes time.
    """
    path = read_settings(options.model).model
    try:
        manifest = json.loads(path.read_bytes())
    except OSError as fault:
        message = f"There is no model manifest at {path}."
        raise UnmaskError("model_missing", message, path=str(path)) from fault
    except ValueError as fault:
        message = f"{path} is not a model manifest."
        raise UnmaskError("model_mismatch", message, path=str(path)) from fault
    sys.stdout.write(json.dumps(manifest, indent=2) + "\n")
    return Exit.DONE
