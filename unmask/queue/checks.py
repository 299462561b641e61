"""The asynchronous side of the queue, for the server and the bot."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
import threading
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import uuid4

from redis import asyncio as aioredis

from unmask.errors import UnmaskError
from unmask.queue import records, scripts, stats
from unmask.queue.clients import open_async_client, open_client, reachable, redis_url
from unmask.queue.events import Change, Hub
from unmask.queue.janitor import Janitor
from unmask.queue.keys import EVENTS, LIST, SHARED, SUSPECTS, checked_name, pool_names, queue_name
from unmask.queue.worker_queue import Ledger
from unmask.report import Check, Door, Priority, Report, State, Verdict
from unmask.settings import Settings
from unmask.store import Store

#: Seconds to wait for a picture's file that is just being removed, and between two looks.
_REMOVAL_SECONDS, _REMOVAL_LOOK = 5.0, 0.02
_SUBMIT_TRIES = 2
#: A score as Redis writes it, and the id of a check.
_CURSOR = re.compile(r"(-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:e[+-]?[0-9]{1,3})?)~([0-9a-f]{32})")
_CHECK_ID = re.compile(r"[0-9a-f]{32}")
_MOST_LISTED = 200
_PING_SECONDS = 1.0
_LARGE_BYTES = 1_000_000


class Order(StrEnum):
    """How a list of checks is sorted."""

    NEWEST = "newest"
    SUSPICIOUS = "suspicious"


@dataclass(frozen=True)
class Page:
    """Some checks of a list, and the cursor of the next ones (None at the end)."""

    checks: tuple[Check, ...]
    cursor: str | None


@dataclass(frozen=True)
class _Found:
    """A check, the work it shares, and how often that work had changed."""

    check: Check
    work: str
    rev: int

    def after(self, change: Change) -> _Found:
        new = self.check.model_dump() | records.changed(change.fields)
        return _Found(Check.model_validate(new), self.work, change.rev)


class Checks:
    """Submits checks and tells how they end; one connection for events, however many wait.

    Made by :meth:`connect`. Any method may raise :class:`UnmaskError` ``queue_unavailable``.
    """

    def __init__(self, settings: Settings, url: str) -> None:
        self._settings = settings
        self._model = records.model_tag(settings.model)
        self._team_pools = pool_names(settings.team_pools)
        self._client: aioredis.Redis = open_async_client(url)
        self._hub = Hub(open_async_client(url, retries=0), EVENTS)
        self._store = Store.of(settings)
        self._blocking = open_client(url)
        self._janitor = Janitor(Ledger(self._blocking), self._store, settings)
        self._stop = threading.Event()
        self._keeper = threading.Thread(
            target=self._janitor.run, args=(self._stop,), name="unmask-janitor", daemon=True
        )

    @classmethod
    async def connect(cls, settings: Settings) -> Checks:
        """Connect to ``settings.redis_url``, or to the embedded Valkey, started if need be.

        Raises :class:`UnmaskError` ``queue_unavailable``, ``model_missing``, ``model_mismatch`` or
        ``bad_request`` (a name in ``team_pools`` that no team can have).
        """
        checks = cls(settings, await asyncio.to_thread(redis_url, settings))
        with reachable():
            await checks._client.ping()
            await checks._hub.start()
        checks._keeper.start()
        return checks

    async def close(self) -> None:
        """Stop listening and close the connections. An embedded Valkey goes on."""
        self._stop.set()
        if self._keeper.is_alive():
            await asyncio.to_thread(self._keeper.join, 5.0)
        await self._hub.close()
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
        data: bytes,
        *,
        door: Door,
        team: str | None = None,
        bulk: bool = False,
        idempotency_key: str | None = None,
    ) -> Check:
        """Ask for ``data`` to be examined.

        The same picture with the same model is one job: a second asker gets a check of its own on
        the running or finished job. The same ``idempotency_key`` (of the same team) gives the same
        check again. Raises :class:`UnmaskError` ``storage_full``, ``output_unwritable``,
        ``bad_request`` (a name that no team can have), ``idempotency_mismatch`` (the key was used
        for another picture).
        """
        digest = await _digest(data)
        asked = digest, door, team and checked_name(team), bulk, idempotency_key
        with reachable():
            # A Redis that is killed may lose what it took a moment ago; nobody else knows of it.
            for _ in range(_SUBMIT_TRIES):
                check, work, pushed = await self._register(*asked)
                if not pushed:
                    await self._put_into_queue(check, work, digest, data)
                found = await self._look(check)
                if found is not None:
                    return found.check
        raise UnmaskError("not_found", "The check was deleted while it was made.")

    async def get(self, check_id: str) -> Check | None:
        """The check as it stands; None if there is none, or no more."""
        with reachable():
            found = await self._look(check_id)
        return found.check if found else None

    async def report(self, check_id: str) -> Report | None:
        """The report of a done check, under the check's own id and time; None before that."""
        data = await self.result_picture(check_id, "report.json")
        check = await self.get(check_id) if data is not None else None
        if data is None or check is None:
            return None
        update = {"id": check.id, "created": check.created}
        return Report.model_validate_json(data).model_copy(update=update)

    async def result_picture(self, check_id: str, name: str) -> bytes | None:
        """A file of a done check: annotated.jpg, mask.png, heatmap.png, face-N.jpg (N from 0),
        report.json (the shared report, as the worker wrote it). None if there is none."""
        with reachable():
            found = await self._look(check_id)
        if found is None or found.check.state is not State.DONE:
            return None
        return await asyncio.to_thread(self._store.get_result, found.work, name)

    async def picture(self, check_id: str) -> bytes | None:
        """The bytes that were submitted; None if there is no such check."""
        check = await self.get(check_id)
        if check is None:
            return None
        return await asyncio.to_thread(self._store.get_picture, check.sha256)

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

        A page may be short, even empty, and still have a cursor: so much was looked through.
        Raises ``bad_request`` for a cursor, an order or a team that cannot be.
        """
        key = (LIST if _order(order) is Order.NEWEST else SUSPECTS) + (
            checked_name(team) if team else ""
        )
        after = ("", "") if cursor is None else _parts(cursor)
        most = min(max(limit, 1), _MOST_LISTED)
        with reachable():
            rows, score, last = await self._run(
                scripts.PAGE, key, most, state or "", verdict or "", *after
            )
        checks = tuple(
            records.check_of(id_, records.fields(check), records.fields(work))
            for id_, check, work in rows
        )
        return Page(checks, f"{score}~{last}" if last else None)

    async def wait(self, check_id: str, timeout: float) -> Check | None:
        """The check once it is done or failed, or as it stands after ``timeout`` seconds; None if
        there is no such check."""
        last: Check | None = None
        async with contextlib.aclosing(self.events(check_id, timeout)) as found:
            async for check in found:
                last = check
        return last

    async def events(self, check_id: str, seconds: float | None = None) -> AsyncGenerator[Check]:
        """The check as it stands, then each change of its state once.

        Ends after done or failed, when the check is deleted, and after ``seconds`` (None: never).
        """
        until = None if seconds is None else asyncio.get_running_loop().time() + seconds
        with reachable():
            found = await self._look(check_id)
        if found is None:
            return
        with self._hub.listen(found.work) as changes:
            # Look again: what changed before we listened was told to nobody.
            with reachable():
                found = await self._look(check_id)
            if found is not None:
                yield found.check
            while found is not None and not found.check.ended:
                # No more than this is timed: a time limit that runs out while redis-py looks after
                # its connection is lost.
                try:
                    async with asyncio.timeout_at(until):
                        change = await changes.get()
                except TimeoutError:
                    return
                next_ = await self._follow(found, change)
                if next_ is not None and next_.rev > found.rev:
                    yield next_.check
                found = next_

    async def delete(self, check_id: str) -> bool:
        """Remove every trace of a check. A picture that another check asks for stays for that one.

        False if there was no such check. A job that just runs goes on, but its result is dropped.
        """
        with reachable():
            return await asyncio.to_thread(self._janitor.forget, check_id)

    async def stats(self) -> stats.Stats:
        """Depth, age, expected wait, live workers, counters."""
        with reachable():
            return await stats.gather(self._client)

    async def ping(self) -> bool:
        """Whether the queue answers within a second (for readiness)."""
        try:
            async with asyncio.timeout(_PING_SECONDS):
                with reachable():
                    return bool(await self._client.ping())
        except (UnmaskError, TimeoutError):
            return False

    async def _register(
        self, digest: str, door: Door, team: str | None, bulk: bool, key: str | None
    ) -> tuple[str, str, bool]:
        """Enter a check: its id, its work, and whether that is in a queue already."""
        pool = self.pool_of(team)
        priority = Priority.BULK if bulk else Priority.INTERACTIVE
        idem = records.idempotency_name(team or "", key) if key else ""
        arguments = (digest, self._model, pool, queue_name(pool, priority), uuid4().hex)
        about = (uuid4().hex, door, team or "", priority, idem, self._settings.retention)
        deadline = asyncio.get_running_loop().time() + _REMOVAL_SECONDS
        while True:
            outcome, check, work, pushed = await self._run(
                scripts.REGISTER, *map(str, (*arguments, *about))
            )
            if outcome == "mismatch":
                message = "This idempotency key was already used for another picture."
                raise UnmaskError("idempotency_mismatch", message)
            if outcome != "deleting":
                return check, work, pushed == "1"
            if asyncio.get_running_loop().time() > deadline:
                message = "This picture is just being deleted; try again in a moment."
                raise UnmaskError("queue_unavailable", message)
            await asyncio.sleep(_REMOVAL_LOOK)

    async def _put_into_queue(self, check: str, work: str, digest: str, data: bytes) -> None:
        """Store the picture, then queue its job. A check whose picture finds no room is undone."""
        try:
            await asyncio.to_thread(self._store.put_picture, data)
        except UnmaskError:
            await asyncio.to_thread(self._janitor.forget, check)
            raise
        job = records.job_fields(self._blocking, work, digest, self._settings.job_timeout)
        await self._run(scripts.ENQUEUE, work, *job)

    async def _follow(self, found: _Found, change: Change) -> _Found | None:
        if change.fields:
            return found.after(change) if change.rev > found.rev else found
        if change.gone is not None and change.gone != found.check.id:
            return found
        with reachable():
            return await self._look(found.check.id)

    async def _look(self, check_id: str) -> _Found | None:
        if not _CHECK_ID.fullmatch(check_id):
            return None
        answer = await self._run(scripts.LOOK, check_id)
        if answer is None:
            return None
        check, work = records.fields(answer[0]), records.fields(answer[1])
        return _Found(records.check_of(check_id, check, work), check["work"], int(work["rev"]))

    async def _run(self, script: str, *arguments: Any) -> Any:
        answer: Any = self._client.eval(script, 0, *arguments)
        return await answer


async def _digest(data: bytes) -> str:
    """The sha256 of a picture; of a large one in a thread, for others wait meanwhile."""
    if len(data) < _LARGE_BYTES:
        return sha256(data).hexdigest()
    return await asyncio.to_thread(lambda: sha256(data).hexdigest())


def _order(order: Order | str) -> Order:
    try:
        return Order(order)
    except ValueError as error:
        message = f"The order is one of {', '.join(Order)}."
        raise UnmaskError("bad_request", message) from error


def _parts(cursor: str) -> tuple[str, str]:
    match = _CURSOR.fullmatch(cursor)
    if not match or not math.isfinite(float(match[1])):
        raise UnmaskError("bad_request", "The cursor is not one that a list gave.")
    return match[1], match[2]
