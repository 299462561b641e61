"""Prints the part of requirements.lock that some extras need, for ``pip install --require-hashes``.

    python scripts/locked.py server,bot > server-bot.txt

The standard library alone is needed: nothing is installed yet. The exit status is 3 if an extra is
not in the lock.
"""

from __future__ import annotations

import sys
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements.lock"
#: What each package of the lock is followed by: the extras that need it.
FOR = "    # for "


def locked_for(extras: set[str], lock: str) -> str | None:
    """The lines of the packages that some extras need; None if the lock lacks one of the extras."""
    kept: list[str] = []
    known: set[str] = set()
    lines: list[str] = []
    for line in lock.splitlines():
        if line.startswith(FOR):
            users = set(line.removeprefix(FOR).split())
            known |= users
            kept += lines if users & extras else []
            lines = []
        elif not line.startswith("#"):
            lines.append(line)
    return "\n".join(kept) + "\n" if extras <= known else None


def main() -> int:
    """Print them; the exit status."""
    extras = {name.strip() for name in sys.argv[1].split(",")} if len(sys.argv) > 1 else {"core"}
    requirements = locked_for(extras, LOCK.read_text(encoding="utf-8"))
    if requirements is None:
        return 3
    sys.stdout.write(requirements)
    return 0


if __name__ == "__main__":
    sys.exit(main())
