"""One log for every part: lines of JSON, without secrets and strangers' input."""

from __future__ import annotations

import ast
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from unmask.errors import UnmaskError
from unmask.logs import _LEVELS, JsonLines, OnceAMinute, log_json, redacted

TOKEN = "7000000001:AAFakeTokenForTheTestsOfUnmask_0123456789"


def line_of(
    text: str,
    *arguments: object,
    logger: str = "unmask.server",
    error: BaseException | None = None,
    **extra: object,
) -> dict[str, Any]:
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord(logger, logging.WARNING, "x.py", 1, text, arguments, info)
    vars(record).update(extra)
    fields: dict[str, Any] = json.loads(JsonLines("hush-hush").format(record))
    return fields


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    try:
        raise error from cause
    except type(error) as caught:
        return caught


def test_a_line_has_its_time_level_logger_and_event() -> None:
    fields = line_of("job %s: %d", "a", 2, order="x")
    assert fields.pop("time").endswith("+00:00")
    expected = {"level": "warning", "logger": "unmask.server", "event": "job a: 2", "order": "x"}
    assert fields == expected


def test_the_text_of_another_library_is_not_filled_in() -> None:
    fields = line_of("HTTP Request: %s", "between you and me", logger="httpx")
    assert fields["event"] == "HTTP Request: %s"


def test_of_an_exception_only_types_codes_and_places_are_written() -> None:
    error = raised(UnmaskError("url_refused", "inner"), OSError("outer"))
    fields = line_of("failed", error=error)
    assert fields["exception"] == ["UnmaskError url_refused", "OSError"]
    assert fields["trace"][0].endswith(" raised")
    assert "inner" not in str(fields) and "outer" not in str(fields)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://user:pass@example.org/a.jpg?b=1, then", "see <url> then"),
        ("redis://:secret@host:6379/0", "<url>"),
        (f"bot{TOKEN}/getMe", "bot<token>/getMe"),
        (f"https://api.telegram.org/bot{TOKEN}/getMe", "<url>"),
        ("a hush-hush thing", "a <secret> thing"),
        ("12:34 is a time, 2026:11 too", "12:34 is a time, 2026:11 too"),
    ],
)
def test_secrets_tokens_and_urls_are_replaced_everywhere(text: str, shown: str) -> None:
    assert redacted(text, "hush-hush", "") == shown
    assert line_of(text)["event"] == shown
    assert line_of("x", why=text)["why"] == shown


def test_a_process_logs_one_line_a_record() -> None:
    script = (
        "import logging; from unmask.logs import log_json; log_json('hush-hush'); "
        "logging.getLogger('worker.main').info('two\\nlines of hush-hush'); "
        "logging.getLogger('httpx').info('nothing')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    (line,) = ended.stderr.splitlines()
    assert json.loads(line)["event"] == "two\nlines of <secret>"


def test_what_others_can_cause_often_is_logged_once_a_minute() -> None:
    once = OnceAMinute()

    def record(second: float, message: str = "out of files\nsocket 1") -> logging.LogRecord:
        made = logging.makeLogRecord({"name": "asyncio", "msg": message})
        made.created = second
        return made

    assert [once.filter(record(second)) for second in (0, 1, 59)] == [True, False, False]
    assert once.filter(record(2, "something else"))
    assert not once.filter(record(3, "out of files\nsocket 2"))
    late = record(61)
    assert once.filter(late) and vars(late)["held_back"] == 3


@pytest.fixture
def root_log() -> Iterator[None]:
    """What the log of the process was before, put back after the test: other tests share it."""
    root, names = logging.getLogger(), [None, *_LEVELS]
    handlers, levels = root.handlers[:], [logging.getLogger(name).level for name in names]
    yield
    root.handlers[:] = handlers
    for name, level in zip(names, levels, strict=True):
        logging.getLogger(name).setLevel(level)


@pytest.mark.usefixtures("root_log")
def test_our_own_records_are_all_logged(capsys: pytest.CaptureFixture[str]) -> None:
    log_json()
    for _ in range(3):
        logging.getLogger("unmask.server").warning("request")
        logging.getLogger("aiohttp.server").error("Error handling request from %s", "a stranger")
    lines = capsys.readouterr().err.splitlines()
    assert [json.loads(line)["logger"] for line in lines] == [
        "unmask.server", "aiohttp.server", "unmask.server", "unmask.server",
    ]  # fmt: skip


ROOT = Path(__file__).parents[2]
#: What may be logged of an exception (or is the exception itself, for JsonLines to take apart).
ALLOWED = {"type", "kind_of", "reason_of"}


def logged_exceptions(path: Path) -> Iterator[str]:
    """The places where a file gives an exception, or its message, to a log."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for handler in ast.walk(tree):
        if isinstance(handler, ast.ExceptHandler) and handler.name:
            for call in ast.walk(handler):
                if isinstance(call, ast.Call) and is_log(call.func):
                    values = [*call.args, *(k.value for k in call.keywords if k.arg != "exc_info")]
                    if any(names_itself(value, handler.name) for value in values):
                        yield f"{path.relative_to(ROOT)}:{call.lineno}"


def is_log(function: ast.expr) -> bool:
    value = function.value if isinstance(function, ast.Attribute) else None
    return isinstance(value, ast.Name) and value.id.lower().strip("_") in {"log", "logger"}


def names_itself(value: ast.AST, name: str) -> bool:
    """Whether an expression holds the exception other than by its code or its kind."""
    if isinstance(value, ast.Attribute) and value.attr == "code":
        return False
    if isinstance(value, ast.Call) and getattr(value.func, "id", "") in ALLOWED:
        return False
    if isinstance(value, ast.Name) and value.id == name:
        return True
    return any(names_itself(child, name) for child in ast.iter_child_nodes(value))


@pytest.mark.parametrize("room", ["bot", "desk", "server", "unmask", "worker"])
def test_no_message_of_an_exception_is_logged(room: str) -> None:
    """docs/security.md: of an exception its type, code and place are written, not its message."""
    places = [place for path in (ROOT / room).rglob("*.py") for place in logged_exceptions(path)]
    assert places == []
