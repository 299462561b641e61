"""Writes manifests; reading them is :mod:`unmask.detector.manifest`."""

from __future__ import annotations

from pathlib import Path

from unmask.detector.manifest import Manifest

#: A manifest's name in its model's folder.
MANIFEST_FILE = "manifest.json"


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a manifest as JSON that reads well in a diff."""
    path.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
