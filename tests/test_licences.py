"""What is passed on in an image is under no licence that would reach the rest of it."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]

#: Encoders under the GPL, which wheels of media packages carry; bundled licence texts name them.
GPL_LIBRARIES = re.compile(r"libx26[45]\b|libx26[45]-")


def name_of(requirement: str) -> str:
    """The name of the package that a requirement names."""
    match = re.match(r"[\w.-]+", requirement)
    assert match
    return match.group()


def run_time() -> dict[str, Distribution]:
    """Every package that the image of a part holds, but for Unmask itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    waiting = [*project["dependencies"], *extras["server"], *extras["bot"]]
    packages: dict[str, Distribution] = {}
    while waiting:
        line = waiting.pop()
        name = name_of(line)
        if name == "unmask":  # "unmask[desk]": another extra, as it stands here, not as installed
            named = re.findall(r"[\w-]+", line.partition("[")[2].partition("]")[0])
            waiting += [requirement for extra in named for requirement in extras[extra]]
            continue
        if name in packages:
            continue
        try:
            packages[name] = distribution(name)
        except PackageNotFoundError:  # of another platform, or of an extra that nobody asked for
            continue
        waiting += [line for line in packages[name].requires or [] if "extra ==" not in line]
    return packages


def test_no_package_at_run_time_is_under_the_gpl() -> None:
    packages = run_time()
    assert {"pi-heif", "pillow", "aiohttp", "python-telegram-bot"} <= set(packages)
    for name, package in packages.items():
        stated = f"{package.metadata.get('License-Expression')} {package.metadata.get('License')}"
        classifiers = " ".join(package.metadata.get_all("Classifier") or [])
        assert "GNU General Public" not in classifiers, name
        assert not re.search(r"(?<![AL])GPL", stated), name
        libraries = [str(file) for file in package.files or [] if GPL_LIBRARIES.search(str(file))]
        assert libraries == [], name
