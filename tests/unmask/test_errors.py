"""One shape of error, and a documented list of codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from unmask.errors import ERROR_CODES, UnmaskError

DOCS = Path(__file__).parents[2] / "docs" / "errors.md"


def test_the_docs_and_the_code_list_the_same_errors() -> None:
    documented = re.findall(r"^\| `.+$", DOCS.read_text(), re.MULTILINE)
    rows = [f"| `{name}` | {code.status} | {code.meaning} |" for name, code in ERROR_CODES.items()]
    assert documented == rows, "the table should be:\n" + "\n".join(rows)


def test_an_error_has_one_shape() -> None:
    error = UnmaskError("too_many_bytes", "The file is too large.", limit=5)
    assert error.status == 413
    assert str(error) == "The file is too large."
    assert json.loads(json.dumps(error.as_json())) == {
        "error": {
            "code": "too_many_bytes",
            "message": "The file is too large.",
            "detail": {"limit": 5},
        }
    }


def test_a_code_must_be_documented() -> None:
    with pytest.raises(KeyError, match="made_up"):
        UnmaskError("made_up", "No one knows this code.")
