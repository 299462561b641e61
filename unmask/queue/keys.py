"""The names that server, bot and worker share: queues, the task, Redis keys.

Our own keys lie under ``unmask:``. All checks of a picture with a model share one *job*, which the
keys and fields in Redis call ``work``; its id is random, so that RQ's records of it tell nothing of
the picture::

    unmask:check:<id>       hash   one caller's check: work (its job), door, team, priority, created
    unmask:work:<job>       hash   the shared job: sha256, state, attempts, verdict, ...
    unmask:checks:<job>     set    the checks that share a job
    unmask:same:<sha>:<model>:<pool>  string  the job that a new check of that picture joins; has
                                   :<language> at its end where the words drawn are not English
    unmask:picture:<sha>    set    the jobs that need a stored picture
    unmask:deleting:<sha>   string set for the moment in which a picture's file is removed
    unmask:removing         zset   jobs whose files are being removed, with their sha256
    unmask:idem:<team>:<key>  string  the check made under an idempotency key
    unmask:list:<team>      zset   checks of a team by time; unmask:suspects:<team> by probability
    unmask:open             zset   jobs that have not ended, by time of their last change
    unmask:lease            zset   jobs that a worker holds, by the time until which it does
    unmask:expiry           zset   checks by the time at which they expire
    unmask:workers          zset   live workers by last heartbeat; unmask:worker:<name> says more
    unmask:arrivals         stream its end moves when a job arrives; of the workers of some pools
                                   (a consumer group) one is woken
    unmask:counters         hash   sums for the metrics
    unmask:turns:<queue>    list   owners (keys, addresses, users) with waiting jobs, next first
    unmask:lane:<queue>:<owner>  list  the waiting jobs of an owner
    unmask:streak:<queue>   string batches of people's pictures in a row while bulk waited
    unmask:kept             hash   how many checks are kept for each owner
    unmask:probe            string written to see whether Redis takes writes
    unmask:janitor          string when a janitor last kept house for all
    unmask:rewrite          string when Redis was last asked to rewrite its log
"""

from __future__ import annotations

import re

from unmask.errors import UnmaskError
from unmask.report import Priority

#: The one task that a worker takes. It is a name only: no worker looks up code by it.
TASK = "worker.examine"

#: The channel on which each change of a job's state is published once.
EVENTS = "unmask:events"
ARRIVALS = "unmask:arrivals"
OPEN, LEASES = "unmask:open", "unmask:lease"
LIST, SUSPECTS = "unmask:list:", "unmask:suspects:"
CHECKS_OF, JOBS_OF = "unmask:checks:", "unmask:picture:"
WORKERS, WORKER, COUNTERS = "unmask:workers", "unmask:worker:", "unmask:counters"

#: The pool that serves every team without workers of its own.
SHARED = "shared"

#: Seconds for which a worker holds a job without a heartbeat, and between two heartbeats.
LEASE, HEARTBEAT = 8, 2
#: Seconds between two rounds of a janitor. LEASE + ROUND is the longest time until a dead worker's
#: job is queued again.
ROUND = 2
#: Deliveries after which a picture that ends its worker is failed; and how often a job is taken out
#: of its queue, by workers that then cannot begin with it, before it is given up.
MAX_ATTEMPTS, MAX_TAKEN = 3, 5
#: Batches of people's pictures in a row, while bulk waits, before one of bulk.
MAX_STREAK = 4

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def queue_name(pool: str, priority: Priority) -> str:
    """The RQ queue of a pool of workers and a priority."""
    return f"unmask-{pool}-{priority}"


def pool_names(text: str) -> tuple[str, ...]:
    """The pools or teams in a setting separated by commas."""
    return tuple(checked_name(name.strip()) for name in text.split(",") if name.strip())


def checked_name(name: str) -> str:
    """``name`` if a team or pool can have it; else raises ``bad_request``."""
    if not _NAME.fullmatch(name):
        message = "A team's name is 1 to 40 lower-case letters, digits and hyphens."
        raise UnmaskError("bad_request", message, team=name[:80])
    return name
