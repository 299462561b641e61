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
#: Kinds of records that are counted at one time.
_MAX_KINDS = 500
#: Levels of libraries that would log too much.
_LEVELS: dict[str, str] = {
    # They log each connection or request, with addresses and URLs, or each odd tag of a file.
    **dict.fromkeys(("aiohttp.access", "asyncio", "httpx", "httpcore", "telegram"), "WARNING"),
    **dict.fromkeys(("PIL", "fontTools", "fpdf"), "WARNING"),
    # It warns of each form that is malformed; the answer says so.
    "python_multipart": "CRITICAL",
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


class OnceAMinute(logging.Filter):
    """Lets one record of a kind through each minute; the next one tells how many were not.

    A kind is a logger with the first line of its text. What strangers can cause many times a second
    must not fill a disk.
    """

    def __init__(self) -> None:
        super().__init__()
        self._kinds: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is let through."""
        kind = (record.name, str(record.msg).partition("\n")[0][:100])
        if len(self._kinds) > _MAX_KINDS:
            self._kinds.clear()
        until, held_back = self._kinds.get(kind, (0.0, 0))
        if record.created < until:
            self._kinds[kind] = (until, held_back + 1)
            return False
        self._kinds[kind] = (record.created + 60, 0)
        if held_back:
            record.held_back = held_back
        return True


class _LibrariesOnceAMinute(OnceAMinute):
    """The same for the loggers of others alone."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is let through."""
        return record.name.partition(".")[0] in _OURS or super().filter(record)


def log_json(*secrets: str, level: int = logging.INFO) -> None:
    """Send the log of the whole process to standard error as JSON, without the ``secrets``."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(*secrets))
    handler.addFilter(_LibrariesOnceAMinute())
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
        "exception": [kind_of(cause) for cause in islice(_chain(error), _MAX_CAUSES)],
        "trace": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def kind_of(error: BaseException) -> str:
    """The type of an exception and, of ours, the code: what a log may hold of it."""
    name = type(error).__name__
    return f"{name} {error.code}" if isinstance(error, UnmaskError) else name
