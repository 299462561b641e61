"""``python -m server``: run the server alone, with the settings of the environment."""

import sys

from pydantic import ValidationError

from server.main import serve
from unmask.settings import Settings


def main() -> int:
    """Read the settings and serve; the exit status."""
    try:
        settings = Settings()
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(step) for step in problem["loc"]).upper()
            sys.stderr.write(f"unmask server: UNMASK_{name}: {problem['msg']}\n")
        return 2
    return serve(settings)


sys.exit(main())
