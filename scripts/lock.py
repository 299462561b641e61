"""Writes requirements.lock: each package that an extra needs, by its version and the hashes of its
files, for every platform and every Python that Unmask runs on.

Run it from the root of the repository after a change of pyproject.toml or constraints.txt:
``make lock``. What constraints.txt names gets that version. The hashes are those of the index that
the installer is set up to use.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from scripts.locked import FOR, LOCK

ROOT = Path(__file__).parents[1]
HEADER = (
    "# Written by `make lock`: versions and hashes for scripts/install.sh. Change nothing here."
)
#: Extras that are not locked: PyTorch has builds for each kind of machine, in indexes of its own.
UNLOCKED = {"make"}
#: Requirements that are no extra of pyproject.toml: the run time for NVIDIA GPUs, and the programs
#: that build the package itself.
OTHERS = {"gpu": ["onnxruntime-gpu[cuda,cudnn]"], "build": ["setuptools"]}


def extras() -> list[str]:
    """The extras of pyproject.toml that are locked."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [name for name in project["optional-dependencies"] if name not in UNLOCKED]


def main() -> None:
    """Resolve all extras together, then each alone with those versions, and write the lock."""
    with tempfile.TemporaryDirectory(prefix="unmask-lock-") as folder:
        inputs = {"core": [str(ROOT / "pyproject.toml")]}
        inputs |= {name: ["--extra", name, str(ROOT / "pyproject.toml")] for name in extras()}
        for name, requirements in OTHERS.items():
            path = Path(folder, f"{name}.in")
            path.write_text("\n".join(requirements) + "\n", encoding="utf-8")
            inputs[name] = [str(path)]
        everything = [part for parts in inputs.values() for part in parts]
        whole = _resolved([*dict.fromkeys(everything)], "--generate-hashes", every=True)
        versions = Path(folder, "versions.txt")
        versions.write_text("\n".join(_requirement(block) for block in _blocks(whole)))
        users: dict[str, list[str]] = {}
        for name, parts in inputs.items():
            for block in _blocks(_resolved(parts, "--constraint", str(versions))):
                users.setdefault(_name(block), []).append(name)
    blocks = [f"{block}\n{FOR}{' '.join(users[_name(block)])}" for block in _blocks(whole)]
    LOCK.write_text("\n".join([HEADER, *blocks]) + "\n", encoding="utf-8")


def _resolved(parts: list[str], *options: str, every: bool = False) -> str:
    """What uv makes of some requirements, for every platform."""
    if every:
        parts = [part for part in parts if part not in {"--extra", *extras()}]
        parts += [part for name in extras() for part in ("--extra", name)]
    command = [sys.executable, "-m", "uv", "pip", "compile", "--universal", "--quiet"]
    command += ["--python-version", "3.11", "--constraint", str(ROOT / "constraints.txt")]
    command += ["--no-header", "--no-annotate", "--no-strip-extras", *options, *parts]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout


def _blocks(requirements: str) -> list[str]:
    """Each requirement with its hashes: it begins at the left edge."""
    blocks: list[str] = []
    for line in requirements.splitlines():
        if line[:1].isalnum():
            blocks.append(line)
        elif line.strip():
            blocks[-1] += f"\n{line}"
    return blocks


def _requirement(block: str) -> str:
    return block.partition("\n")[0].removesuffix("\\").rstrip()


def _name(block: str) -> str:
    return block.partition("==")[0].partition("[")[0]


if __name__ == "__main__":
    main()
