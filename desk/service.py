"""The desk put together: opened once by the server, its services shared by all requests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from desk.accounts import Links, Members, Sessions, TeamKeys, Teams
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
from desk.pictures import CheckSource, Intake, Keep, Lookup, NoChecks
from desk.pictures.looks import Looker
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


async def make_desk(
    database: Database,
    settings: Settings,
    *,
    checks: CheckSource | None = None,
    clock: Clock = utc_now,
    passwords: Passwords | None = None,
) -> Desk:
    """The services on a database that is of the newest revision."""
    changes = Changes(database, clock)
    secret = await installation_secret(database)
    passwords = passwords or Passwords()
    lockout = Lockout(database, clock, secret)
    history = History(database)
    keep, looker = Keep(database, Store.of(settings)), Looker(settings)
    lookup = Lookup(changes, keep, looker)
    return Desk(
        database=database,
        changes=changes,
        secret=secret,
        history=history,
        teams=Teams(changes),
        members=Members(changes),
        links=Links(changes, passwords),
        sessions=Sessions(changes, passwords, lockout),
        lockout=lockout,
        keys=TeamKeys(changes),
        reading=Reading(changes, history),
        claims=Claims(changes),
        opinions=Opinions(changes),
        closing=Closing(changes),
        editing=Editing(changes),
        comments=Comments(changes),
        joining=Joining(changes),
        publishing=Publishing(changes),
        notices=Notices(changes),
        keep=keep,
        lookup=lookup,
        intake=Intake(changes, checks or NoChecks(), keep, looker, lookup),
    )


@asynccontextmanager
async def open_desk(settings: Settings, checks: CheckSource | None = None) -> AsyncIterator[Desk]:
    """The desk of the settings while the block is entered; ``checks`` is where checks are read.

    A SQLite database is brought to the newest revision; of PostgreSQL an operator must have done it
    with ``unmask desk migrate``, for other servers may still run the version before. Raises
    ``database_unavailable`` and :class:`unmask.errors.SettingsError`.
    """
    database = Database.of(settings)
    try:
        if database.is_sqlite:
            await migrate(database)
        else:
            await require_newest(database)
        yield await make_desk(database, settings, checks=checks)
    finally:
        await database.close()
