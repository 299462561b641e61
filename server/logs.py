"""Logs as lines of JSON on standard error.

What a stranger sent never enters a line: an exception is logged by its type and place, without its
message, which may quote a URL or a file.
"""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime

#: What every record has of itself; the rest came by ``extra``.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object a record."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage() if record.name.startswith("unmask") else record.msg,
        }
        line.update({name: value for name, value in vars(record).items() if name not in _OWN})
        if record.exc_info and record.exc_info[1] is not None:
            line |= _trace(record.exc_info[1])
        return json.dumps(line, default=str)


def log_json(level: int = logging.INFO) -> None:
    """Send the log of the whole process to standard error as JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Speak of each connection, with addresses.
    for name in ("aiohttp.access", "asyncio", "PIL", "fontTools", "fpdf"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _trace(error: BaseException) -> dict[str, object]:
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "exception": type(error).__name__,
        "trace": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]],
    }
