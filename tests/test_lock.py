"""requirements.lock and scripts/install.sh: what is installed is what its hash names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.lock import UNLOCKED
from scripts.locked import LOCK, locked_for

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = {
    name: parts
    for name, parts in PROJECT["project"]["optional-dependencies"].items()
    if name not in UNLOCKED
}
HASHED = ("--require-hashes", "--only-binary", ":all:", "--requirement", "FILE")


def pins(text: str) -> dict[str, str]:
    """The version of each package in the text of a lock or of constraints."""
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*?\])?==([^\s;\\]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def locked(*extras: str) -> str:
    text = locked_for(set(extras), LOCK.read_text())
    assert text is not None
    return text


@pytest.mark.parametrize("extra", ["core", "build", *EXTRAS])
def test_the_lock_holds_all_that_an_extra_needs(extra: str) -> None:
    parts = {
        "core": PROJECT["project"]["dependencies"],
        "build": PROJECT["build-system"]["requires"],
    } | EXTRAS
    versions = pins(locked(extra))
    for requirement in map(Requirement, parts[extra]):
        if requirement.name == "unmask":
            assert set(pins(locked(*requirement.extras))) <= set(versions)
            continue
        version = versions.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is not in requirements.lock: run `make lock`"
        assert version in requirement.specifier, f"{requirement}: run `make lock`"


def test_it_holds_the_versions_that_are_tested_together() -> None:
    constraints = pins((ROOT / "constraints.txt").read_text())
    versions = pins(LOCK.read_text())
    other = {name for name in versions.keys() & constraints if versions[name] != constraints[name]}
    assert not other, "run `make lock`"


def test_each_package_has_hashes_and_none_a_place() -> None:
    text = LOCK.read_text()
    for block in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block
    assert "://" not in text and "--index" not in text


def test_of_the_lock_that_part_is_taken_which_the_extras_need() -> None:
    lock = "# head\na==1 \\\n    --hash=sha256:0\n    # for core bot\n"
    lock += "b==2\n    # for bot\nc==3\n    # for dev\n"
    assert locked_for({"core"}, lock) == "a==1 \\\n    --hash=sha256:0\n"
    assert locked_for({"bot", "dev"}, lock) == "a==1 \\\n    --hash=sha256:0\nb==2\nc==3\n"
    assert locked_for({"core", "make"}, lock) is None
    assert "onnxruntime==" not in locked("gpu") and "onnxruntime-gpu[" in locked("gpu")


def installed(folder: Path, *arguments: str) -> list[str]:
    """What scripts/install.sh asks of pip."""
    python, log = folder / "python", folder / "log"
    python.write_text(
        f'#!/bin/sh\ncase $1 in scripts/locked.py) exec "{sys.executable}" "$@" ;; esac\n'
        f'echo "$@" >> "{log}"\n'
    )
    python.chmod(0o755)
    subprocess.run(
        [str(ROOT / "scripts" / "install.sh"), *arguments],
        env=os.environ | {"PYTHON": str(python)},
        cwd=folder,
        check=True,
        timeout=30,
    )
    lines = log.read_text().splitlines()
    return [re.sub(r"--requirement \S+", "--requirement FILE", line) for line in lines]


def test_what_is_locked_is_installed_by_its_hashes(tmp_path: Path) -> None:
    hashed = " ".join(("-m pip install", *HASHED))
    own = "-m pip install --no-deps --no-build-isolation"
    assert installed(tmp_path, "server") == [hashed, f"{own} ."]
    assert installed(tmp_path, "--editable", "bot,dev")[2:] == [hashed, f"{own} --editable ."]
    assert installed(tmp_path, "--gpu", "server")[4:] == [
        *(hashed, f"{own} ."),
        *("-m pip uninstall --yes onnxruntime", hashed),
    ]


def test_what_is_not_locked_is_installed_at_the_tested_versions(tmp_path: Path) -> None:
    plain = "-m pip install --constraint constraints.txt"
    assert installed(tmp_path, "--unlocked", "server") == [f"{plain} .[server]"]
    assert installed(tmp_path, "--editable", "train,make")[1:] == [
        f"{plain} --editable .[train,make]"
    ]
    assert installed(tmp_path, "--unlocked", "--gpu")[2:] == [
        *(f"{plain} .", "-m pip uninstall --yes onnxruntime"),
        f"{plain} onnxruntime-gpu[cuda,cudnn]",
    ]
