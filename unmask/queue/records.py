"""Between the strings that Redis keeps and the words of :mod:`unmask.report`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.utils import now

from unmask.errors import UnmaskError
from unmask.queue.keys import TASK
from unmask.report import Check

#: The fields of a work that a change of state may touch.
_CHANGING = ("state", "verdict", "fake_probability", "error", "model_version")

#: Codes that say nothing of the picture: asked for again, it is examined again.
PASSING = frozenset(
    {
        "storage_full",
        "output_unwritable",
        "picture_missing",
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
    """The tag of the model that a manifest names; ``model_missing`` or ``model_mismatch``."""
    try:
        found = json.loads(manifest.read_bytes())
        return ModelTag(str(found["version"]), str(found["sha256"]))
    except OSError as error:
        message = f"There is no model manifest at {manifest}."
        raise UnmaskError("model_missing", message, path=str(manifest)) from error
    except (ValueError, KeyError, TypeError) as error:
        message = f"{manifest} is not a model manifest that this version reads."
        raise UnmaskError("model_mismatch", message, path=str(manifest)) from error


def fields(flat: Sequence[str]) -> dict[str, str]:
    """Names and values, one after the other, as a mapping."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def check_of(check_id: str, check: Mapping[str, str], work: Mapping[str, str]) -> Check:
    """The check of an asker and the work that it shares."""
    return Check.model_validate(
        {
            "id": check_id,
            "sha256": work["sha256"],
            "door": check["door"],
            "team": check["team"] or None,
            "priority": check["priority"],
            "created": datetime.fromtimestamp(float(check["created"]), UTC),
            "expires": datetime.fromtimestamp(float(check["expires"]), UTC),
            **changed(work),
        }
    )


def changed(work: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a check that its work decides."""
    found: dict[str, Any] = {name: work[name] for name in _CHANGING if name in work}
    if "error" in found:
        found["error"] = json.loads(found["error"])
    return found


def error_json(error: UnmaskError) -> str:
    """The inside of the one error shape, as it is kept."""
    return json.dumps(error.as_json()["error"])


def job_fields(client: redis.Redis, work: str, sha256: str, timeout: int) -> list[Any]:
    """Names and values of the RQ job of a work.

    The picture's bytes are in the store, never here. RQ keeps no result (``result_ttl`` 0): ours
    lies in the store and in the work. ``client`` is not used: a job cannot be made without one.
    """
    job = Job.create(
        TASK,
        connection=client,
        args=[sha256, work],
        id=work,
        description="examine",
        timeout=timeout,
        result_ttl=0,
        failure_ttl=0,
        status=JobStatus.QUEUED,
        serializer=JSONSerializer,
    )
    job.enqueued_at = now()
    return [part for pair in job.to_dict().items() if pair[1] is not None for part in pair]


def idempotency_name(team: str, key: str) -> str:
    """The Redis key for an asker's idempotency key, which may hold anything."""
    return f"unmask:idem:{team}:{hashlib.sha256(key.encode()).hexdigest()}"
