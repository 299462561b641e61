"""A check as Redis has it at one moment, and which job it shares."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from unmask.queue import records
from unmask.queue.events import Change
from unmask.report import Check

_log = logging.getLogger(__name__)

#: Checks whose jobs are remembered.
MOST = 1000


@dataclass(frozen=True)
class Snapshot:
    """A check at one moment, the job that it shares, and the number of the job's last change."""

    check: Check
    job_id: str
    rev: int

    def after(self, change: Change) -> Snapshot:
        """The check after a change of its job."""
        values = self.check.model_dump() | records.job_state(change.fields)
        return Snapshot(Check.model_validate(values), self.job_id, change.rev)


class JobsOfChecks:
    """The jobs of the checks that were made here last: a check never changes its job, so that they
    need not be asked for."""

    def __init__(self) -> None:
        self._jobs: dict[str, str] = {}

    def note(self, check_id: str, job_id: str) -> None:
        """Remember the job of a check; the check that was noted first is forgotten for it."""
        self._jobs[check_id] = job_id
        if len(self._jobs) > MOST:
            del self._jobs[next(iter(self._jobs))]

    def of(self, check_id: str) -> str | None:
        """The job of a check, None where it is not known."""
        return self._jobs.get(check_id)


def snapshot_of(check_id: str, answer: Any) -> Snapshot | None:
    """What READ_CHECK says of a check; None if there is none, or its record is damaged."""
    if answer is None:
        return None
    check, job = records.fields(answer[0]), records.fields(answer[1])
    try:
        read = records.check_of(check_id, check, job)
        return Snapshot(read, check["work"], int(job["rev"]))
    except (KeyError, ValueError):
        _log.warning("queue: the record of a check is damaged")
        return None
