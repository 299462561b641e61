"""Webhooks: where a team wants its events, and how they get there.

A message holds ids and, once a case is decided, its verdict; no text and no picture. It goes
through the gates of :mod:`unmask.fetch`, so that an address cannot lead inside the network. Each of
eight attempts over 27 hours is signed by itself, and receivers tell doubles by ``webhook-id``.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from desk.actors import DeskActor
from desk.changes import Changes
from desk.models import Delivery, Member, Notice, Outbox, Webhook
from desk.outgoing import signing
from desk.text import line
from desk.vocabulary import Action, NoticeKind
from unmask.errors import UnmaskError
from unmask.fetch import Poster
from unmask.permissions import Permission, Role, require

MAX_WEBHOOKS = 20
#: After each failed attempt the next one waits so long, give or take a tenth.
PAUSES = (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000)
#: Failures in a row, over all messages, after which a webhook is turned off if one of them has
#: failed for so long: a burst during a short fault is no reason.
MAX_FAILURES, FAILING = 20, timedelta(hours=12)
#: For so long the old secret signs along after a new one was made.
ROTATION = timedelta(hours=24)
KEPT = timedelta(days=30)
GONE = 410
_BATCH = 20
_EVENTS = frozenset(action.value for action in Action)
PING = "webhook.ping"


class WebhookRecord(BaseModel):
    """A webhook without its secret. No ``events``: all of them."""

    model_config = ConfigDict(frozen=True)

    id: int
    url: str
    events: tuple[str, ...]
    active: bool
    failures: int
    created: datetime
    rotating_until: datetime | None


class DeliveryRecord(BaseModel):
    """One message to one webhook; ``next_at`` is None once it was delivered or given up."""

    model_config = ConfigDict(frozen=True)

    id: int
    webhook: int
    event: str
    body: str
    attempts: int
    status: int | None
    answer: str
    milliseconds: int | None
    created: datetime
    next_at: datetime | None
    delivered_at: datetime | None


class Webhooks:
    """Manages a team's webhooks and sends to them."""

    def __init__(self, changes: Changes, poster: Poster) -> None:
        self._changes = changes
        self._poster = poster
        #: Called when messages were made that are due.
        self.on_due: Callable[[], None] = lambda: None

    async def create(
        self, actor: DeskActor, url: str, events: Sequence[str] = ()
    ) -> tuple[str, WebhookRecord]:
        """A new webhook; returns its secret, shown once, and its record.

        Raises ``bad_url``, ``url_refused`` and, for an unknown event, ``bad_request``.
        """
        require(actor, Permission.MANAGE_TEAM)
        url = self._poster.check(line(url, "address", needed=True, most=2_048))
        wanted, secret = _checked(events), signing.new_secret()
        async with self._changes.begin(actor) as change:
            query = sa.select(sa.func.count()).where(Webhook.team_id == actor.team_id)
            if (await change.session.scalar(query) or 0) >= MAX_WEBHOOKS:
                message = f"A team has at most {MAX_WEBHOOKS} webhooks."
                raise UnmaskError("bad_request", message, limit=MAX_WEBHOOKS)
            row = Webhook(
                team_id=actor.team_id,
                url=url,
                secret=secret,
                events=wanted,
                active=True,
                failures=0,
                created=change.now,
            )
            change.session.add(row)
            await change.session.flush()
            await change.record(Action.WEBHOOK_CREATED, data={"webhook": row.id})
        return secret, _record(row)

    async def all(self, actor: DeskActor) -> list[WebhookRecord]:
        """The team's webhooks."""
        require(actor, Permission.MANAGE_TEAM)
        query = sa.select(Webhook).where(Webhook.team_id == actor.team_id).order_by(Webhook.id)
        async with self._changes.database.reading() as session:
            return [_record(row) for row in await session.scalars(query)]

    async def change(
        self,
        actor: DeskActor,
        webhook_id: int,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        active: bool | None = None,
    ) -> WebhookRecord:
        """Change a webhook, or turn it on again; raises as :meth:`create` does, ``not_found``."""
        require(actor, Permission.MANAGE_TEAM)
        checked = self._poster.check(line(url, "address", most=2_048)) if url else None
        async with self._changes.begin(actor) as change:
            row = await _own(change.session, actor, webhook_id)
            row.url = checked or row.url
            if events is not None:
                row.events = _checked(events)
            if active is not None:
                row.active, row.failures = active, 0
            await change.record(Action.WEBHOOK_CHANGED, data={"webhook": row.id})
            return _record(row)

    async def rotate(self, actor: DeskActor, webhook_id: int) -> str:
        """A new secret, shown once. For a day messages are signed with the old one too."""
        require(actor, Permission.MANAGE_TEAM)
        async with self._changes.begin(actor) as change:
            row = await _own(change.session, actor, webhook_id)
            row.old_secret, row.old_until = row.secret, change.now + ROTATION
            row.secret = signing.new_secret()
            data = {"webhook": row.id, "rotated": True}
            await change.record(Action.WEBHOOK_CHANGED, data=data)
            return row.secret

    async def remove(self, actor: DeskActor, webhook_id: int) -> None:
        """Remove a webhook with its log; raises ``not_found``."""
        require(actor, Permission.MANAGE_TEAM)
        async with self._changes.begin(actor) as change:
            row = await _own(change.session, actor, webhook_id)
            await change.session.execute(sa.delete(Delivery).where(Delivery.webhook_id == row.id))
            await change.session.delete(row)
            await change.record(Action.WEBHOOK_REMOVED, data={"webhook": webhook_id})

    async def test(self, actor: DeskActor, webhook_id: int) -> DeliveryRecord:
        """Send a test message at once; the record says how it went."""
        require(actor, Permission.MANAGE_TEAM)
        now = self._changes.clock()
        async with self._changes.database.writing() as session:
            row = await _own(session, actor, webhook_id)
            data = {"team": actor.team}
            delivery = Delivery(
                team_id=actor.team_id,
                webhook_id=row.id,
                event_id=f"test-{webhook_id}-{now.timestamp():.6f}",
                body=_body(PING, now, data),
                attempts=len(PAUSES),  # it is not tried again
                answer="",
                created=now,
                next_at=None,
            )
            session.add(delivery)
        return await self._attempt(delivery.id)

    async def deliveries(
        self, actor: DeskActor, webhook_id: int | None = None, before: int | None = None
    ) -> list[DeliveryRecord]:
        """The newest hundred messages, of one webhook or of all."""
        require(actor, Permission.MANAGE_TEAM)
        query = sa.select(Delivery).where(Delivery.team_id == actor.team_id)
        if webhook_id is not None:
            query = query.where(Delivery.webhook_id == webhook_id)
        if before is not None:
            query = query.where(Delivery.id < before)
        async with self._changes.database.reading() as session:
            rows = await session.scalars(query.order_by(Delivery.id.desc()).limit(100))
            return [_delivery(row) for row in rows]

    async def resend(self, actor: DeskActor, delivery_id: int) -> DeliveryRecord:
        """Send a message again at once, under the same id; raises ``not_found``."""
        require(actor, Permission.MANAGE_TEAM)
        async with self._changes.database.reading() as session:
            row = await session.get(Delivery, delivery_id)
        if row is None or row.team_id != actor.team_id:
            raise UnmaskError("not_found", "There is no such message.")
        return await self._attempt(delivery_id)

    async def send_due(self) -> int:
        """Send the messages that are due; returns how many were.

        Each is put off before it is sent: if the process dies meanwhile, or another server runs,
        nobody sends it at the same moment.
        """
        now = self._changes.clock()
        async with self._changes.database.writing() as session:
            rows = await session.scalars(
                sa.select(Delivery.id)
                .join(Webhook, Webhook.id == Delivery.webhook_id)
                .where(Delivery.next_at <= now, Webhook.active)
                .order_by(Delivery.next_at)
                .limit(_BATCH)
                .with_for_update(skip_locked=True, of=Delivery)
            )
            ids = list(rows)
            await session.execute(
                sa.update(Delivery)
                .where(Delivery.id.in_(ids))
                .values(next_at=now + timedelta(minutes=1))
            )
        await asyncio.gather(*(self._attempt(delivery_id) for delivery_id in ids))
        return len(ids)

    async def forget_old(self) -> None:
        """Remove messages older than thirty days; for the nightly sweep."""
        async with self._changes.database.writing() as session:
            old = Delivery.created < self._changes.clock() - KEPT
            await session.execute(sa.delete(Delivery).where(old))

    async def _attempt(self, delivery_id: int) -> DeliveryRecord:
        now = self._changes.clock()
        async with self._changes.database.reading() as session:
            delivery = await session.get_one(Delivery, delivery_id)
            hook = await session.get_one(Webhook, delivery.webhook_id)
        keys = [hook.secret]
        if hook.old_secret is not None and hook.old_until is not None and hook.old_until > now:
            keys.append(hook.old_secret)
        body = delivery.body.encode()
        headers = signing.headers(delivery.event_id, now, body, keys)
        status, answer, passed = None, "", None
        try:
            posted = await self._poster.post(hook.url, body, headers)
            status, answer, passed = posted.status, posted.head, posted.milliseconds
        except UnmaskError as error:
            answer = error.code
        return await self._note(delivery_id, status, answer, passed)

    async def _note(
        self, delivery_id: int, status: int | None, answer: str, milliseconds: int | None
    ) -> DeliveryRecord:
        """Write down how an attempt went, and when to try again."""
        now = self._changes.clock()
        async with self._changes.database.writing() as session:
            delivery = await session.get(Delivery, delivery_id, with_for_update=True)
            hook = (
                await session.get(Webhook, delivery.webhook_id, with_for_update=True)
                if delivery
                else None
            )
            if delivery is None or hook is None:
                raise UnmaskError("not_found", "The webhook was removed meanwhile.")
            delivery.status, delivery.answer = status, answer
            delivery.milliseconds = milliseconds
            is_test = delivery.event_id.startswith("test-")
            if status is not None and 200 <= status < 300:
                delivery.delivered_at, delivery.next_at, hook.failures = now, None, 0
            else:
                delivery.next_at = None if is_test else _next(delivery.attempts, now)
                hook.failures += not is_test
                is_long = now - delivery.created >= FAILING
                fails_on = hook.failures >= MAX_FAILURES and is_long
                if not is_test and hook.active and (status == GONE or fails_on):
                    await _turn_off(session, hook, now)
            delivery.attempts += 1
            return _delivery(delivery)


def wants(hook: Webhook, kind: str) -> bool:
    """Whether a webhook is for an event."""
    return not hook.events or kind in hook.events


def event_id(row: Outbox) -> str:
    """The id of an event's message, the same for each attempt."""
    return f"evt-{row.team_id}-{row.seq}"


def body_of(row: Outbox, team: str) -> str:
    """The message of an event."""
    data: dict[str, object] = {"team": team, "case": row.case_number, "version": row.version}
    if row.kind in (Action.CASE_DECIDED, Action.CASE_PUBLISHED):
        data["verdict"] = row.data.get("verdict")
    return _body(row.kind, row.at, data)


def _body(kind: str, at: datetime, data: dict[str, object] | dict[str, str]) -> str:
    return json.dumps({"type": kind, "timestamp": at.isoformat(), "data": data})


def _next(attempts: int, now: datetime) -> datetime | None:
    if attempts >= len(PAUSES):
        return None
    return now + timedelta(seconds=PAUSES[attempts] * random.uniform(0.9, 1.1))


async def _turn_off(session: AsyncSession, hook: Webhook, now: datetime) -> None:
    hook.active = False
    admins = await session.scalars(
        sa.select(Member.person_id).where(
            Member.team_id == hook.team_id, Member.role == Role.ADMIN, Member.left_at.is_(None)
        )
    )
    for person_id in admins:
        session.add(
            Notice(
                team_id=hook.team_id,
                person_id=person_id,
                kind=NoticeKind.WEBHOOK_OFF,
                by="machine",
                at=now,
            )
        )


def _checked(events: Sequence[str]) -> list[str]:
    unknown = sorted(set(events) - _EVENTS)
    if unknown:
        message = f"There is no event {unknown[0][:40]}."
        raise UnmaskError("bad_request", message, field="events")
    return sorted(set(events))


async def _own(session: AsyncSession, actor: DeskActor, webhook_id: int) -> Webhook:
    row = await session.get(Webhook, webhook_id)
    if row is None or row.team_id != actor.team_id:
        raise UnmaskError("not_found", "There is no such webhook.")
    return row


def _record(row: Webhook) -> WebhookRecord:
    return WebhookRecord(
        id=row.id,
        url=row.url,
        events=tuple(row.events),
        active=row.active,
        failures=row.failures,
        created=row.created,
        rotating_until=row.old_until,
    )


def _delivery(row: Delivery) -> DeliveryRecord:
    return DeliveryRecord(
        id=row.id,
        webhook=row.webhook_id,
        event=row.event_id,
        body=row.body,
        attempts=row.attempts,
        status=row.status,
        answer=row.answer,
        milliseconds=row.milliseconds,
        created=row.created,
        next_at=row.next_at,
        delivered_at=row.delivered_at,
    )
