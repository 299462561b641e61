"""The hash chain of a team's history.

``hash = SHA-256(previous hash || canonical JSON of the entry)``. Free text is not in the entry, but
the SHA-256 of a random salt and the text: erasing salt and text leaves a chain that still verifies
and a text that cannot be guessed. A chain does not stop somebody who can rewrite the whole
database: it shows the change to everybody who has kept a later head.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

#: What stands before the first entry.
ORIGIN = "0" * 64


def canonical(value: Mapping[str, Any]) -> str:
    """JSON in one form: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def entry_hash(
    prev_hash: str,
    *,
    team_id: int,
    seq: int,
    at: datetime,
    actor: str,
    action: str,
    case_number: int | None,
    data: Mapping[str, Any],
    text_sha256: str | None,
) -> str:
    """The hash of an entry, as 64 hexadecimal digits."""
    body = {
        "team": team_id,
        "seq": seq,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": actor,
        "action": action,
        "case": case_number,
        "data": data,
        "text": text_sha256,
    }
    return hashlib.sha256(f"{prev_hash}{canonical(body)}".encode()).hexdigest()


def new_salt() -> str:
    """128 random bits, as 32 hexadecimal digits."""
    return secrets.token_hex(16)


def text_hash(salt: str, text: str) -> str:
    """What an entry keeps of its text."""
    return hashlib.sha256(f"{salt}{text}".encode()).hexdigest()
