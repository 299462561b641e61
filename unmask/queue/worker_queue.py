"""The blocking side of the queue: what workers and janitors do to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import uuid4

import redis
from redis.exceptions import ResponseError
from rq.defaults import RQ_KEY_PREFIX

from unmask.errors import UnmaskError
from unmask.queue import scripts
from unmask.queue.keys import ARRIVALS, COUNTERS, LEASE, LEASES, MAX_ATTEMPTS, OPEN, queue_name
from unmask.queue.records import PASSING, ModelTag, error_json, job_fields
from unmask.report import Priority, Report, State

_QUEUES, _OURS = f"{RQ_KEY_PREFIX}:queues", f"{RQ_KEY_PREFIX}:queue:unmask-"
_REWRITE = "unmask:rewrite"


class Ledger:
    """Each method is one atomic step. Answers come as text: open the client accordingly."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client

    # A worker's steps

    def take(self, pools: Sequence[str], most: int) -> list[str]:
        """Up to ``most`` waiting works, none of which waits any longer in a queue.

        People's checks come before bulk, and no batch holds both: nobody waits for bulk.
        """
        names: list[str] = []
        for priority in (Priority.INTERACTIVE, Priority.BULK):
            names += [*(queue_name(pool, priority) for pool in pools), "|"]
        return list(self._run(scripts.TAKE, most, LEASE, *names))

    def last_arrival(self) -> str:
        """A mark of the last arrival, for :meth:`await_arrival`. Take it before looking."""
        last: Any = self.client.xrevrange(ARRIVALS, count=1)
        return str(last[0][0]) if last else "0-0"

    def await_arrival(self, last: str, seconds: float) -> None:
        """Block until something arrives after ``last``, at most ``seconds``. Takes nothing, so a
        worker that ends here loses nothing."""
        self.client.xread({ARRIVALS: last}, block=int(seconds * 1000))

    def begin(self, worker: str, works: Sequence[str]) -> list[float | None]:
        """Count the delivery and publish ``running``; the seconds that each work has waited, None
        for one that is wanted no more."""
        found = self._run(scripts.BEGIN, uuid4().hex, worker, LEASE, *works)
        return [None if value == "-1" else float(value) for value in found]

    def beat(self, worker: str, about: str, works: Iterable[str]) -> None:
        """A sign of life: what the worker says of itself (JSON), and what it holds."""
        self._run(scripts.BEAT, worker, about, LEASE, *works)

    def leave(self, worker: str) -> None:
        """A worker's orderly end."""
        self.client.zrem("unmask:workers", worker)
        self.client.delete(f"unmask:worker:{worker}")

    def settle(
        self,
        work: str,
        outcome: Report | UnmaskError,
        *,
        pipeline: Any = None,
    ) -> None:
        """The end of a work, once: a second one is ignored. With a ``pipeline``, as a part of its
        transaction. After a passing failure, or the judgement of another model than the one asked
        for, the next asker of that picture has it examined anew."""
        arguments: tuple[Any, ...]
        if isinstance(outcome, UnmaskError):
            again = int(outcome.code in PASSING)
            arguments = (scripts.SETTLE_FAILED, 0, work, again, outcome.code, error_json(outcome))
        else:
            model = ModelTag(outcome.model.version, outcome.model.sha256)
            probability = outcome.fake_probability
            shown = "" if probability is None else repr(probability)
            values = (str(model), outcome.verdict.value, shown, model.version)
            arguments = (scripts.SETTLE_DONE, 0, work, *values)
        (self.client if pipeline is None else pipeline).eval(*arguments)

    def state(self, work: str) -> State | None:
        """How a work stands, None if nobody asks for it any more."""
        found: Any = self.client.hget(f"unmask:work:{work}", "state")
        return State(found) if found else None

    def count(self, counters: Mapping[str, float]) -> None:
        """Add to the sums for the metrics."""
        with self.client.pipeline(transaction=False) as pipeline:
            for name, value in counters.items():
                pipeline.hincrbyfloat(COUNTERS, name, value)
            pipeline.execute()

    # A janitor's steps

    def reclaim(self) -> dict[str, str]:
        """Take back what dead workers hold: outcome (requeued, poison, gone) by work."""
        message = f"Examining this picture ended the worker {MAX_ATTEMPTS} times; it is given up."
        error = error_json(UnmaskError("poison_picture", message))
        flat = self._run(scripts.RECLAIM, error)
        return dict(zip(flat[::2], flat[1::2], strict=True))

    def unpushed(self, works: Iterable[str], seconds: float) -> dict[str, str]:
        """Those of ``works`` that were registered and never queued since so long, with their
        sha256."""
        flat = self._run(scripts.UNPUSHED, seconds, *works)
        return dict(zip(flat[::2], flat[1::2], strict=True))

    def enqueue(self, work: str, sha256: str, timeout: int) -> bool:
        """Queue a registered work; False if that is done already."""
        return bool(
            self._run(scripts.ENQUEUE, work, *job_fields(self.client, work, sha256, timeout))
        )

    def stray(self, seconds: float) -> set[str]:
        """Works unchanged since so long that are in no queue and in no worker's hands.

        Not one atomic step: let :meth:`unpushed` and :meth:`adopt` look again.
        """
        client: Any = self.client
        # Another application of RQ may share this Redis.
        queues = [name for name in sorted(client.smembers(_QUEUES)) if name.startswith(_OURS)]
        placed = client.zcard(LEASES) + sum(client.llen(queue) for queue in queues)
        if client.zcard(OPEN) <= placed:
            return set()
        now, micros = client.time()
        until = now + micros / 1e6 - seconds
        found: set[str] = set(client.zrangebyscore(OPEN, "-inf", until))
        found.difference_update(client.zrange(LEASES, 0, -1))
        for queue in queues:
            found.difference_update(client.lrange(queue, 0, -1))
        return found

    def adopt(self, works: Iterable[str]) -> list[str]:
        """Put those of ``works`` that still are in no queue back into theirs."""
        return list(self._run(scripts.ADOPT, *works))

    def fail_overdue(self, seconds: float) -> int:
        """Fail what waits since so long; returns how many."""
        message = "No worker took the check in time; try again later."
        return int(
            self._run(scripts.OVERDUE, seconds, error_json(UnmaskError("not_served", message)))
        )

    def due(self, seconds: float) -> tuple[list[str], list[tuple[str, str]]]:
        """Checks whose time is up, and (work, sha256) whose removal began so long ago and did not
        end."""
        checks, removals = self._run(scripts.DUE, seconds)
        pairs = [name.partition(":") for name in removals]
        return checks, [(work, sha256) for work, _, sha256 in pairs]

    def forget(self, check: str) -> tuple[str, str] | None:
        """Remove a check: None if there was none, else (work, sha256), empty unless those files
        are now to be removed and :meth:`forgotten` to be called."""
        found = self._run(scripts.FORGET, check)
        return None if found is None else (found[0], found[1])

    def forgotten(self, work: str, sha256: str) -> None:
        """The files are removed."""
        self._run(scripts.FORGOTTEN, work, sha256)

    def not_forgotten(self, work: str, sha256: str) -> None:
        """The files could not be removed: :meth:`due` names them again, others before them."""
        self._run(scripts.NOT_FORGOTTEN, work, sha256)

    def needs(self, kind: str, key: str) -> bool:
        """Whether a check still needs the ``pictures`` of a sha256 or the ``results`` of a work."""
        name = f"unmask:picture:{key}" if kind == "pictures" else f"unmask:work:{key}"
        return bool(self.client.exists(name))

    def rewrite_log(self, seconds: float) -> bool:
        """Have Redis write its append-only file anew, without what was deleted; False if it will
        not (none is kept, it was asked less than ``seconds`` ago, another rewrite runs, or we may
        not ask)."""
        client: Any = self.client
        try:
            kept = client.info("persistence").get("aof_enabled")
            if not kept or not client.set(_REWRITE, "1", nx=True, px=int(seconds * 1000)):
                return False
            client.bgrewriteaof()
        except ResponseError:
            client.delete(_REWRITE)
            return False
        return True

    def claim_round(self, seconds: float) -> bool:
        """Whether this janitor is the one to keep house for so many seconds."""
        return bool(self.client.set("unmask:janitor", "1", nx=True, px=int(seconds * 1000)))

    def _run(self, script: str, *arguments: Any) -> Any:
        return self.client.eval(script, 0, *arguments)
