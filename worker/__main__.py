"""``python -m worker``: one worker, as the environment (UNMASK_*, REDIS_URL) sets it."""

from __future__ import annotations

import json
import logging
import sys

from unmask.cli.faults import Exit
from unmask.errors import UnmaskError
from unmask.settings import Settings
from worker.main import run


def main() -> int:
    """Run; an error that only people can mend ends it with a message and a status of 78."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        run(Settings())
    except UnmaskError as error:
        sys.stderr.write(json.dumps(error.as_json()) + "\n")
        return Exit.MISCONFIGURED
    return 0


if __name__ == "__main__":
    sys.exit(main())
