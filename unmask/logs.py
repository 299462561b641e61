"""Logs of every part as lines of JSON on standard error, without secrets and strangers' input.

An exception is logged by its type, code and place, without its message, which may quote a URL or a
file. Of another library's record the text is written, not what was filled in. Tokens, URLs and
the secrets that the part names are replaced wherever they stand.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from unmask.errors import UnmaskError

#: Attributes that every record has; all others came by ``extra``.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
#: The first names of our own loggers: what they fill into a text is ours.
_OURS = frozenset({"unmask", "server", "worker", "bot"})
#: Anything in the form of a Telegram token, of whatever bot it is.
_TOKEN = re.compile(r"[0-9]{6,20}(?::|%3A)[A-Za-z0-9_-]{20,}", re.IGNORECASE)
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>\\]+", re.IGNORECASE)
_MAX_CAUSES, _MAX_FRAMES = 5, 12
#: Levels of libraries that would log too much.
_LEVELS: dict[str, str] = {
    # They log each connection or request, with addresses and URLs, or each odd tag of a file.
    **dict.fromkeys(("aiohttp.access", "asyncio", "httpx", "httpcore", "telegram"), "WARNING"),
    **dict.fromkeys(("PIL", "fontTools", "fpdf"), "WARNING"),
    # It quotes responses that it cannot parse, and with them what people wrote.
    "telegram.request.BaseRequest": "CRITICAL",
    # It logs each 429 as an error; the bot waits and retries.
    "telegram.ext.AIORateLimiter": "CRITICAL",
}


class JsonLines(logging.Formatter):
    """Formats each record as one JSON object, without the ``secrets``."""

    def __init__(self, *secrets: str) -> None:
        super().__init__()
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        is_ours = record.name.partition(".")[0] in _OURS
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage() if is_ours else str(record.msg),
        }
        line.update({name: value for name, value in vars(record).items() if name not in _STANDARD})
        if record.exc_info and record.exc_info[1] is not None:
            line |= _trace(record.exc_info[1])
        return redacted(json.dumps(line, default=str, ensure_ascii=False), *self._secrets)


def log_json(*secrets: str, level: int = logging.INFO) -> None:
    """Send the log of the whole process to standard error as JSON, without the ``secrets``."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(*secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, library_level in _LEVELS.items():
        logging.getLogger(name).setLevel(library_level)


def redacted(text: str, *secrets: str) -> str:
    """``text`` without the ``secrets``, and without anything in the form of a token or a URL."""
    text = _TOKEN.sub("<token>", _URL.sub("<url>", text))
    for secret in filter(None, secrets):
        text = text.replace(secret, "<secret>")
    return text


def _trace(error: BaseException) -> dict[str, object]:
    """The types of an exception and of its causes, and the places that it came through."""
    frames = traceback.extract_tb(error.__traceback__)[-_MAX_FRAMES:]
    return {
        "exception": [_kind(cause) for cause in islice(_chain(error), _MAX_CAUSES)],
        "trace": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _kind(error: BaseException) -> str:
    name = type(error).__name__
    return f"{name} {error.code}" if isinstance(error, UnmaskError) else name
