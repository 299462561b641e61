"""The same work under other roofs: RQ's stock worker, and LitServe (:mod:`benchmarks.lit`).

Each gets the examiner of our own worker (detector, evidence, drawing) and its store, so that only
what carries a picture to them and a report back differs.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from unmask.settings import Settings
from unmask.store import Store
from worker.examiner import ExamineJob, Examiner
from worker.main import load_detector


class Kit:
    """What a worker has in hand, with its files in a folder."""

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        own: dict[str, int] = {} if threads is None else {"threads": threads}
        settings = Settings(data=folder, **own)
        self.store = Store.of(settings)
        self.detector: Any = load_detector(settings)
        self.examiner = Examiner(self.detector, self.store, settings)

    def examine(self, sha256s: list[str]) -> list[str]:
        """Examine pictures of the store as one batch, draw and store; their reports as JSON."""
        jobs = [ExamineJob(uuid4().hex, sha256) for sha256 in sha256s]
        outcomes = [future.result() for future in self.examiner.examine(jobs)]
        return [_json(outcome) for outcome in outcomes]


def put_picture(store: Store, data: bytes) -> str:
    """Store a picture; returns its sha256."""
    sha256 = hashlib.sha256(data).hexdigest()
    store.put_picture(sha256, data)
    return sha256


def _json(outcome: Any) -> str:
    if isinstance(outcome, Exception):
        raise outcome
    return str(outcome.report.model_dump_json())


@cache
def kit() -> Kit:
    """This process's own, in UNMASK_DATA."""
    return Kit(Path(os.environ["UNMASK_DATA"]))


def examine(sha256: str) -> str:
    """The task of RQ's worker, which forks for each job and so loads the model for each."""
    return kit().examine([sha256])[0]
