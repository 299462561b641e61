"""The desk put together: opened once by the server, its services shared by all requests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from desk.accounts import (
    Identities,
    Linked,
    Links,
    Members,
    Oidc,
    Passkeys,
    Sessions,
    TeamKeys,
    Teams,
)
from desk.accounts.lockout import Lockout
from desk.accounts.secrets import Passwords, installation_secret
from desk.cases import (
    Claims,
    Closing,
    Comments,
    Editing,
    Joining,
    Notices,
    Opinions,
    Publishing,
    Reading,
)
from desk.changes import Changes, Clock, History, utc_now
from desk.database import Database
from desk.migrations import migrate, require_newest
from desk.outgoing import DeskEvents, Digests, Dispatcher, Export, TrainingExport, Webhooks
from desk.pictures import CheckSource, Intake, Keep, Lookup, NoChecks
from desk.pictures.looks import Looker
from desk.queue import Bulk, Next, Queue, SavedFilters
from desk.retention import Erasing, Sweeper
from desk.statistics import Figures
from unmask.fetch import Poster
from unmask.settings import Settings
from unmask.store import Store


@dataclass(frozen=True)
class Desk:
    """The services of the desk.

    Each method takes the :class:`desk.actors.DeskActor` who acts, asks
    :mod:`unmask.permissions` whether that actor may, and sees the actor's own team alone: what
    belongs to another team raises ``not_found``, as what is not there does. A method that changes
    something is one transaction, with its history and its events.
    """

    database: Database
    changes: Changes
    secret: bytes
    history: History
    teams: Teams
    members: Members
    links: Links
    sessions: Sessions
    lockout: Lockout
    identities: Identities
    linked: Linked
    passkeys: Passkeys
    oidc: Oidc
    keys: TeamKeys
    reading: Reading
    claims: Claims
    opinions: Opinions
    closing: Closing
    editing: Editing
    comments: Comments
    joining: Joining
    publishing: Publishing
    notices: Notices
    keep: Keep
    lookup: Lookup
    intake: Intake
    queue: Queue
    next: Next
    bulk: Bulk
    filters: SavedFilters
    figures: Figures
    export: Export
    training: TrainingExport
    webhooks: Webhooks
    digests: Digests
    erasing: Erasing
    events: DeskEvents | None
    dispatcher: Dispatcher
    sweeper: Sweeper


async def make_desk(
    database: Database,
    settings: Settings,
    *,
    checks: CheckSource | None = None,
    events: DeskEvents | None = None,
    clock: Clock = utc_now,
    passwords: Passwords | None = None,
    poster: Poster | None = None,
) -> Desk:
    """The services on a database that is of the newest revision.

    Without ``checks`` nothing is taken in, without ``events`` no live page is told.
    """
    changes, secret = Changes(database, clock), await installation_secret(database)
    passwords = passwords or Passwords()
    lockout, history = Lockout(database, clock, secret), History(database)
    keep, looker = Keep(database, Store.of(settings)), Looker(settings)
    lookup = Lookup(changes, keep, looker)
    intake = Intake(changes, checks or NoChecks(), keep, looker, lookup)
    identities = Identities(changes)
    teams, sessions = Teams(changes), Sessions(changes, passwords, lockout)
    members = Members(changes)
    claims, closing, editing = Claims(changes), Closing(changes), Editing(changes)
    queue, webhooks = Queue(changes), Webhooks(changes, poster or Poster())
    erasing = Erasing(changes, keep, secret)
    dispatcher, digests = Dispatcher(changes, webhooks, events), Digests(changes, teams, queue)
    keeping = (erasing, keep, intake, sessions, lockout, webhooks, dispatcher, digests)
    return Desk(
        database=database,
        changes=changes,
        secret=secret,
        history=history,
        teams=teams,
        members=members,
        links=Links(changes, passwords),
        sessions=sessions,
        lockout=lockout,
        identities=identities,
        linked=Linked(changes, members, lockout, secret),
        passkeys=Passkeys(changes, identities, settings),
        oidc=Oidc(changes, identities, settings),
        keys=TeamKeys(changes),
        reading=Reading(changes, history),
        claims=claims,
        opinions=Opinions(changes),
        closing=closing,
        editing=editing,
        comments=Comments(changes),
        joining=Joining(changes),
        publishing=Publishing(changes),
        notices=Notices(changes),
        keep=keep,
        lookup=lookup,
        intake=intake,
        queue=queue,
        next=Next(changes),
        bulk=Bulk(queue, claims, closing, editing),
        filters=SavedFilters(changes),
        figures=Figures(changes),
        export=Export(changes),
        training=TrainingExport(changes, keep),
        webhooks=webhooks,
        digests=digests,
        erasing=erasing,
        events=events,
        dispatcher=dispatcher,
        sweeper=Sweeper(changes, teams, *keeping),
    )


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[Desk]:
    """The desk of the settings while the block is entered, for a command.

    Raises as :func:`open_database` does.
    """
    async with open_database(settings) as database:
        yield await make_desk(database, settings)


@asynccontextmanager
async def running_desk(
    settings: Settings, checks: CheckSource, redis_url: str
) -> AsyncIterator[Desk]:
    """The desk of a server while the block is entered: it takes checks in, tells live pages
    (:attr:`Desk.events`), sends webhooks, and keeps house.

    Raises as :func:`open_database` does.
    """
    poster, events = Poster(), DeskEvents(redis_url)
    async with open_database(settings) as database:
        desk = await make_desk(database, settings, checks=checks, events=events, poster=poster)
        await events.start()
        desk.dispatcher.start()
        desk.sweeper.start()
        try:
            yield desk
        finally:
            await desk.sweeper.close()
            await desk.dispatcher.close()
            await events.close()
            poster.close()


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The database of the settings while the block is entered.

    A SQLite file is brought to the newest revision; of PostgreSQL an operator must have done it
    with ``unmask desk migrate``, for other servers may still run the version before. Raises
    ``database_unavailable`` and :class:`unmask.errors.SettingsError`.
    """
    database = Database.of(settings)
    try:
        if database.is_sqlite:
            await migrate(database)
        else:
            await require_newest(database)
        yield database
    finally:
        await database.close()
