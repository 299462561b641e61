"""Carries events out after their transaction was committed.

The events lie in the table ``outbox``, written by the change itself, so a crash after the commit
loses none: the next start finds them. A live event may be told twice; a delivery to a webhook is
one row for each event and webhook, so a crash doubles none.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from redis.exceptions import RedisError

from desk.changes import Changes, Repeated
from desk.database import insert_missing
from desk.models import Delivery, Outbox, Team, Webhook
from desk.outgoing.events import DeskEvents
from desk.outgoing.webhooks import Webhooks, body_of, event_id, wants

_log = logging.getLogger(__name__)
#: Events that are carried out together.
_BATCH = 200
#: Seconds after which the outbox is looked at although nothing woke the dispatcher.
_INTERVAL = 5.0
#: Events that were carried out are kept so long, for a look at what happened.
_KEPT = timedelta(days=7)


class Dispatcher:
    """Empties the outbox and sends what is due to webhooks; one task of each server."""

    def __init__(
        self, changes: Changes, webhooks: Webhooks, events: DeskEvents | None = None
    ) -> None:
        self._changes = changes
        self._webhooks = webhooks
        self._events = events
        self._tasks = (
            Repeated("outbox", self.dispatch, _INTERVAL),
            Repeated("webhooks", webhooks.send_due, _INTERVAL),
        )

    def start(self) -> None:
        """Begin; changes that are committed in this process wake it at once."""
        outbox, webhooks = self._tasks
        self._changes.on_commit = outbox.wake.set
        self._webhooks.on_due = webhooks.wake.set
        for task in self._tasks:
            task.start()

    async def close(self) -> None:
        """Stop; what was not carried out is at the next start."""
        for task in self._tasks:
            await task.close()
        self._changes.on_commit = self._webhooks.on_due = lambda: None

    async def dispatch(self) -> int:
        """Carry out the events that wait; returns how many there were."""
        query = (
            sa.select(Outbox, Team.slug)
            .join(Team, Team.id == Outbox.team_id)
            .where(Outbox.done_at.is_(None))
            .order_by(Outbox.id)
            .limit(_BATCH)
        )
        async with self._changes.database.reading() as session:
            rows = [(row, slug) for row, slug in await session.execute(query)]
        if not rows:
            return 0
        await self._publish([row for row, _ in rows])
        await self._make_deliveries(rows)
        return len(rows)

    async def forget_old(self) -> None:
        """Remove events that were carried out long ago; for the nightly sweep."""
        async with self._changes.database.writing() as session:
            old = Outbox.done_at < self._changes.clock() - _KEPT
            await session.execute(sa.delete(Outbox).where(old))

    async def _publish(self, rows: Sequence[Outbox]) -> None:
        """Tell live pages; if Redis is away they read everything again once it is back."""
        if self._events is None:
            return
        try:
            for row in rows:
                await self._events.publish(row.team_id, row.kind, row.case_number, row.version)
        except (RedisError, OSError) as error:
            _log.warning("desk: live events were lost (%s)", type(error).__name__)

    async def _make_deliveries(self, rows: Sequence[tuple[Outbox, str]]) -> None:
        now = self._changes.clock()
        teams = {row.team_id for row, _ in rows}
        async with self._changes.database.writing() as session:
            hooks = await session.scalars(
                sa.select(Webhook).where(Webhook.team_id.in_(teams), Webhook.active)
            )
            active = list(hooks)
            for row, slug in rows:
                for hook in active:
                    if hook.team_id == row.team_id and wants(hook, row.kind):
                        await insert_missing(
                            session,
                            Delivery,
                            team_id=row.team_id,
                            webhook_id=hook.id,
                            event_id=event_id(row),
                            body=body_of(row, slug),
                            attempts=0,
                            answer="",
                            created=now,
                            next_at=now,
                        )
            ids = [row.id for row, _ in rows]
            await session.execute(sa.update(Outbox).where(Outbox.id.in_(ids)).values(done_at=now))
        if active:
            self._webhooks.on_due()
