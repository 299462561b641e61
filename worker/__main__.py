"""``python -m worker``: one worker, as the environment (UNMASK_*, REDIS_URL) sets it."""

from __future__ import annotations

import json
import logging
import sys

from unmask.cli.environment import read_settings
from unmask.cli.faults import Exit, SettingsError
from unmask.errors import UnmaskError
from worker.main import run


def main() -> int:
    """Run; an error that only people can mend ends it with a message and a status of 78."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        run(read_settings(None))
    except SettingsError as error:
        return _misconfigured(UnmaskError("bad_request", str(error)))
    except UnmaskError as error:
        return _misconfigured(error)
    return Exit.DONE


def _misconfigured(error: UnmaskError) -> int:
    sys.stderr.write(json.dumps(error.as_json()) + "\n")
    return Exit.MISCONFIGURED


if __name__ == "__main__":
    sys.exit(main())
