"""``python -m model_training``."""

from __future__ import annotations

import sys

from model_training.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
