"""Logs as lines of JSON on standard error, from which the bot's token is removed."""

from __future__ import annotations

import json
import logging
import re
import traceback
from datetime import UTC, datetime

#: The attributes of every record; the others come from ``extra``.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
#: Anything that looks like a bot token: in a URL, an error, a header.
_TOKEN = re.compile(r"[0-9]{6,20}(?::|%3A)[A-Za-z0-9_-]{20,}", re.IGNORECASE)
_HIDDEN = "<token>"


class JsonLines(logging.Formatter):
    """One JSON object for each record, without ``secrets`` and anything that looks like a token."""

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._secrets = tuple(filter(None, secrets))

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line.update({name: value for name, value in vars(record).items() if name not in _STANDARD})
        if record.exc_info and record.exc_info[1] is not None:
            line |= _trace(record.exc_info[1])
        return redacted(json.dumps(line, default=str, ensure_ascii=False), *self._secrets)


def redacted(text: str, *secrets: str) -> str:
    """``text`` without the secrets and anything that looks like a token."""
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    return _TOKEN.sub(_HIDDEN, text)


def log_json(*secrets: str, level: int = logging.INFO) -> None:
    """Write the log of the whole process to standard error as JSON, without the secrets."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # They log each request, with URLs that hold the token.
    for name in ("httpx", "httpcore", "telegram", "aiohttp.access", "asyncio", "PIL"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It quotes responses that it cannot parse, and with them what people wrote.
    logging.getLogger("telegram.request.BaseRequest").setLevel(logging.CRITICAL)
    # It logs each 429 as an error; the bot waits and retries (transport/rate_limiter.py).
    logging.getLogger("telegram.ext.AIORateLimiter").setLevel(logging.CRITICAL)


def _trace(error: BaseException) -> dict[str, object]:
    frames = traceback.extract_tb(error.__traceback__)
    causes: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(causes) < 5:
        causes.append(f"{type(cause).__name__}: {cause}"[:500])
        cause = cause.__cause__ or cause.__context__
    return {
        "exception": causes,
        "trace": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]],
    }
