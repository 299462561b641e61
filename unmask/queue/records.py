"""Converts between the strings that Redis keeps and the models of :mod:`unmask.report`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
from pydantic import ValidationError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.utils import now

from unmask.errors import UnmaskError
from unmask.i18n import DEFAULT
from unmask.queue.keys import TASK
from unmask.report import Check, Report

#: The fields of a job that a change of state may touch.
_CHANGING = ("state", "verdict", "fake_probability", "error", "model_version")

#: Codes of faults of ours, not of the picture: the next check of the same picture retries it.
RETRYABLE = frozenset(
    {
        "storage_full",
        "output_unwritable",
        "picture_missing",
        "result_missing",
        "not_served",
        "model_missing",
        "model_mismatch",
        "queue_unavailable",
        "internal",
    }
)


@dataclass(frozen=True)
class ModelTag:
    """Which model a check asks for, read without the run time."""

    version: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.version}:{self.sha256[:16]}"


def model_tag(manifest: Path) -> ModelTag:
    """The tag of the model that a manifest names.

    Raises :class:`UnmaskError` ``model_missing`` or ``model_mismatch``.
    """
    try:
        content = json.loads(manifest.read_bytes())
        return ModelTag(str(content["version"]), str(content["sha256"]))
    except OSError as error:
        message = f"There is no model manifest at {manifest}."
        raise UnmaskError("model_missing", message, path=str(manifest)) from error
    except (ValueError, KeyError, TypeError) as error:
        message = f"{manifest} is not a model manifest that this version reads."
        raise UnmaskError("model_mismatch", message, path=str(manifest)) from error


def fields(flat: Sequence[str]) -> dict[str, str]:
    """A mapping from names and values in turn, as Redis answers."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def check_of(check_id: str, check: Mapping[str, str], job: Mapping[str, str]) -> Check:
    """The check that the fields of a check and of its job describe."""
    return Check.model_validate(
        {
            "id": check_id,
            "sha256": job["sha256"],
            "door": check["door"],
            "team": check["team"] or None,
            "priority": check["priority"],
            "language": job.get("language", DEFAULT),
            "created": datetime.fromtimestamp(float(check["created"]), UTC),
            "expires": datetime.fromtimestamp(float(check["expires"]), UTC),
            **job_state(job),
        }
    )


def report_of(data: bytes | None) -> Report | None:
    """The report that a worker stored, also one of the version before; None if it is damaged."""
    try:
        return Report.model_validate_json(data) if data is not None else None
    except ValidationError:
        return None


def job_state(job: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a check that its job decides."""
    state: dict[str, Any] = {name: job[name] for name in _CHANGING if name in job}
    if "error" in state:
        state["error"] = json.loads(state["error"])
    return state


def error_json(error: UnmaskError) -> str:
    """An error as Redis keeps it: the inside of the one error shape."""
    return json.dumps(error.as_json()["error"])


def job_fields(client: redis.Redis, job_id: str, sha256: str, timeout: int) -> list[Any]:
    """Names and values, in turn, of RQ's record of a job.

    The picture's bytes are in the store, never here. RQ keeps no result (``result_ttl`` 0): ours
    lies in the store and in our own record. ``client`` is not used: RQ makes no job without one.
    """
    job = Job.create(
        TASK,
        connection=client,
        args=[sha256, job_id],
        id=job_id,
        description="examine",
        timeout=timeout,
        result_ttl=0,
        failure_ttl=0,
        status=JobStatus.QUEUED,
        serializer=JSONSerializer,
    )
    job.enqueued_at = now()
    return [part for pair in job.to_dict().items() if pair[1] is not None for part in pair]


def owner_tag(owner: str) -> str:
    """The tag under which Redis counts what an owner (a key, an address, a user) has."""
    return hashlib.sha256(f"unmask owner {owner}".encode()).hexdigest()[:16]


def idempotency_name(team: str, key: str) -> str:
    """The Redis key for a caller's idempotency key, which may hold anything."""
    return f"unmask:idem:{team}:{hashlib.sha256(key.encode()).hexdigest()}"
