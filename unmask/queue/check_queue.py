"""The asynchronous side of the queue, for the server and the bot."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import threading
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from redis import asyncio as aioredis

from unmask.errors import UnmaskError
from unmask.i18n import DEFAULT, LANGUAGES
from unmask.queue import earlier, lists, records, stats
from unmask.queue.clients import open_async_client, open_client, reachable, redis_url
from unmask.queue.earlier import EarlierLooks, Looks
from unmask.queue.events import Change, CheckEvents
from unmask.queue.janitor import Janitor
from unmask.queue.keys import EVENTS, SHARED, checked_name, pool_names, queue_name
from unmask.queue.lists import Order, Page
from unmask.queue.room import Room, too_many_checks
from unmask.queue.scripts import checks as scripts
from unmask.queue.snapshots import JobsOfChecks, Snapshot, snapshot_of
from unmask.queue.worker_queue import WorkerQueue
from unmask.report import Check, Door, Priority, State, Verdict
from unmask.settings import Settings
from unmask.store import Store

if TYPE_CHECKING:  # a health check reads the queue, and should not load the decoders
    from unmask.images import Picture

_log = logging.getLogger(__name__)

#: Seconds to wait for a picture's file that is being removed, and between two tries.
_REMOVAL_SECONDS, _REMOVAL_INTERVAL = 5.0, 0.02
_MAX_SUBMIT_TRIES = 2
_CHECK_ID = re.compile(r"[0-9a-f]{32}")
_PING_SECONDS = 1.0
_RESULT_MISSING = "The result of this check is lost. Send the picture again."


@dataclass(frozen=True)
class _Request:
    """A picture to be checked, and what is said of the check."""

    picture: Picture
    door: Door
    team: str | None = None
    bulk: bool = False
    key: str | None = None
    owner: str = ""
    language: str = DEFAULT


@dataclass(frozen=True)
class _Registered:
    """A check in Redis: its job, whether that is in a queue, and whether the check is new."""

    check_id: str
    job_id: str
    is_queued: bool
    is_new: bool


class CheckQueue:
    """The queue as doors see it: submits checks and reports how they end.

    All that wait share one connection for events.

    Made by :meth:`connect`. Any method may raise :class:`UnmaskError` ``queue_unavailable``.
    """

    def __init__(self, settings: Settings, url: str) -> None:
        self._settings = settings
        self._model = records.model_tag(settings.model)
        self._team_pools = pool_names(settings.team_pools)
        self._client: aioredis.Redis = open_async_client(url)
        self._events = CheckEvents(open_async_client(url, retries=0), EVENTS)
        self._jobs = JobsOfChecks()
        self._looks = EarlierLooks(self._client)
        self._store = Store.of(settings)
        self._room = Room(self._client, self._store, settings)
        self._blocking = open_client(url)
        self._janitor = Janitor(WorkerQueue(self._blocking), self._store, settings)
        self._stop = threading.Event()
        self._janitor_thread = threading.Thread(
            target=self._janitor.run, args=(self._stop,), name="unmask-janitor", daemon=True
        )

    @classmethod
    async def connect(cls, settings: Settings) -> CheckQueue:
        """Connect to ``settings.redis_url``, or to the embedded Valkey, which is started
        where it does not run.

        Raises :class:`UnmaskError` ``queue_unavailable``, ``model_missing``, ``model_mismatch`` or
        ``bad_request`` (an invalid name in ``team_pools``).
        """
        queue = cls(settings, await asyncio.to_thread(redis_url, settings))
        with reachable():
            await queue._client.ping()
            await queue._events.start()
        queue._janitor_thread.start()
        return queue

    async def close(self) -> None:
        """Stop listening and close the connections. An embedded Valkey keeps running."""
        self._stop.set()
        if self._janitor_thread.is_alive():
            await asyncio.to_thread(self._janitor_thread.join, 5.0)
        await self._events.close()
        await self._client.aclose()
        self._blocking.close()

    @property
    def model_version(self) -> str:
        """The version of the model that new checks ask for."""
        return self._model.version

    def pool_of(self, team: str | None) -> str:
        """The pool of workers that a team's checks go to."""
        return team if team is not None and team in self._team_pools else SHARED

    async def submit(
        self,
        picture: Picture,
        *,
        door: Door,
        team: str | None = None,
        bulk: bool = False,
        idempotency_key: str | None = None,
        owner: str = "",
        language: str = DEFAULT,
    ) -> Check:
        """Submit a picture that passed the gates of :mod:`unmask.images`; returns its check.

        The same picture with the same model and language is one job: each caller gets a check of
        its own on the running or finished job. The same ``idempotency_key`` (of the same team)
        gives the same check again. ``owner`` is whose share of the queue it takes: a key, an
        address, a user; only its hash is kept. ``language`` is that of the words on the annotated
        picture; any but ours means English. Raises :class:`UnmaskError` ``storage_full``,
        ``output_unwritable``, ``rate_limited`` (``max_checks`` of this owner are kept),
        ``bad_request`` (an invalid name of a team), ``idempotency_mismatch`` (the key was used for
        another picture).
        """
        language = language if language in LANGUAGES else DEFAULT
        team = team and checked_name(team)
        request = _Request(picture, door, team, bulk, idempotency_key, owner, language)
        with reachable():
            await self._room.require()
            # A Redis that is killed may lose what it took a moment ago; nobody else knows of it.
            for _ in range(_MAX_SUBMIT_TRIES):
                registered = await self._register(request)
                self._jobs.note(registered.check_id, registered.job_id)
                if not registered.is_queued:
                    await self._put_into_queue(registered, picture)
                snapshot = await self._snapshot(registered.check_id)
                check = await self._with_report(snapshot) if snapshot else None
                if check is not None and not (registered.is_new and _has_lost_result(check)):
                    return check
                await self._drop(registered.check_id)
        raise UnmaskError("not_found", "The check was deleted while it was made.")

    async def get(self, check_id: str) -> Check | None:
        """The check as it stands; None if there is none, or it has expired or was deleted."""
        with reachable():
            snapshot = await self._snapshot(check_id)
        return await self._with_report(snapshot) if snapshot else None

    async def result(self, check_id: str, name: str) -> bytes | None:
        """A file of a done check: annotated.jpg, mask.png, heatmap.png, face-N.jpg (N from 0).
        None if there is none."""
        (data,) = await self.results(check_id, [name])
        return data

    async def results(self, check_id: str, names: Sequence[str]) -> list[bytes | None]:
        """Several files of a done check, each as from :meth:`result`."""
        with reachable():
            snapshot = await self._snapshot(check_id)
        if snapshot is None or snapshot.check.state is not State.DONE:
            return [None] * len(names)
        return [await self._read(snapshot, name) for name in names]

    async def picture(self, check_id: str) -> bytes | None:
        """The bytes that were submitted; None if there is no such check."""
        with reachable():
            snapshot = await self._snapshot(check_id)
        if snapshot is None:
            return None
        return await asyncio.to_thread(self._store.get_picture, snapshot.check.sha256)

    async def list(
        self,
        team: str | None = None,
        *,
        state: State | None = None,
        verdict: Verdict | None = None,
        order: Order | str = Order.NEWEST,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """A page of at most ``limit`` (200) checks of a team (None: of those without one).

        A page may be short, even empty, and still have a cursor: each page reads a bounded number
        of entries. Raises ``bad_request`` for an invalid cursor, order or team.
        """
        key, max_rows, start = lists.position(team, order, limit, cursor)
        with reachable():
            rows, score, last_id = await self._run(
                scripts.LIST_CHECKS, key, max_rows, state or "", verdict or "", *start
            )
        return lists.page_of(rows, score, last_id)

    async def earlier(self, check: Check) -> tuple[datetime, ...]:
        """When its team had the same file checked before, oldest first; see :mod:`earlier`."""
        with reachable():
            return await earlier.times_before(self._client, check)

    async def earlier_looks(self, check: Check) -> Looks:
        """The hashes of its team's checks of other files before it; see :mod:`earlier`."""
        with reachable():
            return await self._looks.before(check)

    async def wait(self, check_id: str, timeout: float) -> Check | None:
        """The check once it is done or failed, or as it stands after ``timeout`` seconds; None if
        there is no such check."""
        last: Check | None = None
        async with contextlib.aclosing(self.events(check_id, timeout)) as checks:
            async for check in checks:
                last = check
        return last

    async def events(self, check_id: str, seconds: float | None = None) -> AsyncGenerator[Check]:
        """The check as it stands, then each change of its state once.

        Ends after done or failed, when the check is deleted, and after ``seconds`` (None: never).
        """
        deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds
        job_id = self._jobs.of(check_id)
        if job_id is None:
            with reachable():
                snapshot = await self._snapshot(check_id)
            if snapshot is None:
                return
            job_id = snapshot.job_id
        with self._events.listen(job_id) as changes:
            # Read now: a change before we listened has reached nobody.
            with reachable():
                snapshot = await self._snapshot(check_id)
            check = await self._with_report(snapshot) if snapshot else None
            if check is not None:
                yield check
            while snapshot is not None and not snapshot.check.ended:
                # Only this is timed: redis-py swallows a time limit that runs out while it repairs
                # its connection.
                try:
                    async with asyncio.timeout_at(deadline):
                        change = await changes.get()
                except TimeoutError:
                    return
                next_ = await self._apply(snapshot, change)
                is_new = next_ is not None and next_.rev > snapshot.rev
                check = await self._with_report(next_) if next_ and is_new else None
                if check is not None:
                    yield check
                snapshot = next_

    async def delete(self, check_id: str) -> bool:
        """Remove every trace of a check; False if there was no such check.

        A picture that another check needs stays for that one. A job that runs goes on, but its
        result is dropped.
        """
        with reachable():
            return await self._drop(check_id)

    async def stats(self) -> stats.Stats:
        """The statistics of the queue: depth, age, expected wait, live workers, counters."""
        with reachable():
            return await stats.gather(self._client)

    async def unready(self) -> str | None:
        """Why no check can be taken just now, as a sentence; None if one can."""
        with reachable():
            return await self._room.problem()

    async def ping(self) -> bool:
        """Whether the queue answers within a second (for readiness)."""
        try:
            async with asyncio.timeout(_PING_SECONDS):
                with reachable():
                    return bool(await self._client.ping())
        except (UnmaskError, TimeoutError):
            return False

    async def _register(self, request: _Request) -> _Registered:
        """Register a check, or find the one that was made under the idempotency key."""
        pool, picture, key = self.pool_of(request.team), request.picture, request.key
        priority = Priority.BULK if request.bulk else Priority.INTERACTIVE
        idem = records.idempotency_name(request.team or "", key) if key else ""
        check_id, new_job_id = uuid4().hex, uuid4().hex
        job = (picture.sha256, self._model, pool, queue_name(pool, priority), check_id, new_job_id)
        check = (request.door, request.team or "", priority, idem, self._settings.retention)
        share = (records.owner_tag(request.owner), self._settings.max_checks)
        about = (picture.width * picture.height, request.language)
        deadline = asyncio.get_running_loop().time() + _REMOVAL_SECONDS
        while True:
            outcome, check_id, job_id, is_queued = await self._run(
                scripts.REGISTER, *map(str, (*job, *check, *share, *about))
            )
            if outcome == "mismatch":
                message = "This idempotency key was already used for another picture."
                raise UnmaskError("idempotency_mismatch", message)
            if outcome == "too_many":
                raise too_many_checks(self._settings.max_checks)
            if outcome != "deleting":
                return _Registered(check_id, job_id, is_queued == "1", outcome != "known")
            if asyncio.get_running_loop().time() > deadline:
                message = "This picture is just being deleted; try again in a moment."
                raise UnmaskError("queue_unavailable", message)
            await asyncio.sleep(_REMOVAL_INTERVAL)

    async def _put_into_queue(self, registered: _Registered, picture: Picture) -> None:
        """Store the picture, then queue its job. If it cannot be stored, the check is deleted."""
        try:
            await asyncio.to_thread(self._store.put_picture, picture.sha256, picture.data)
        except UnmaskError:
            await self._drop(registered.check_id)
            raise
        timeout = self._settings.job_timeout
        record = records.job_fields(self._blocking, registered.job_id, picture.sha256, timeout)
        await self._run(scripts.ENQUEUE, registered.job_id, *record)

    async def _drop(self, check_id: str) -> bool:
        return await asyncio.to_thread(self._janitor.delete_check, check_id)

    async def _apply(self, snapshot: Snapshot, change: Change) -> Snapshot | None:
        """The check after a change; None if it was deleted."""
        if change.fields:
            return snapshot.after(change) if change.rev > snapshot.rev else snapshot
        if change.deleted is not None and change.deleted != snapshot.check.id:
            return snapshot
        with reachable():
            return await self._snapshot(snapshot.check.id)

    async def _snapshot(self, check_id: str) -> Snapshot | None:
        """The check as Redis has it; None if there is none."""
        if not _CHECK_ID.fullmatch(check_id):
            return None
        return snapshot_of(check_id, await self._run(scripts.READ_CHECK, check_id))

    async def _with_report(self, snapshot: Snapshot) -> Check | None:
        """The check of a snapshot, with its report once it is done; None if it was deleted.

        Where the report is lost or damaged, the job fails, so that the next check of the picture
        starts a new one.
        """
        if snapshot.check.state is not State.DONE:
            return snapshot.check
        report = records.report_of(await self._read(snapshot, "report.json"))
        if report is not None:
            return snapshot.check.model_copy(update={"report": report})
        error = records.error_json(UnmaskError("result_missing", _RESULT_MISSING))
        with reachable():
            await self._run(scripts.LOSE_RESULT, snapshot.job_id, error)
            latest = await self._snapshot(snapshot.check.id)
        return latest.check if latest else None

    async def _read(self, snapshot: Snapshot, name: str) -> bytes | None:
        return await asyncio.to_thread(self._store.get_result, snapshot.job_id, name)

    async def _run(self, script: str, *arguments: Any) -> Any:
        answer: Any = self._client.eval(script, 0, *arguments)
        return await answer


def _has_lost_result(check: Check) -> bool:
    return check.error is not None and check.error["code"] == "result_missing"
