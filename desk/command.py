"""``unmask desk``: what an operator does for the teams on the command line."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from unmask.commands import needing
from unmask.errors import Exit

if TYPE_CHECKING:  # loaded by the functions that need it
    from desk.service import Desk
    from unmask.settings import Settings

HELP = "make teams, migrate the desk's database, verify its history"
DESCRIPTION = (
    "Makes teams and links for their first admins, brings the desk's database to this version's "
    "tables, and verifies that no history was changed."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``migrate``, ``verify`` and ``team``."""
    actions = parser.add_subparsers(dest="desk_action", required=True, metavar="ACTION")
    actions.add_parser("migrate", help="bring the database to this version's tables")
    verify = actions.add_parser("verify", help="verify the chain of each history")
    verify.add_argument("team", nargs="?", help="the team's short name (default: all teams)")
    team = actions.add_parser("team", help="make and list teams, invite their admins")
    teams = team.add_subparsers(dest="team_action", required=True, metavar="ACTION")
    create = teams.add_parser("create", help="make a team, and a link for its first admin")
    create.add_argument("team", help="its short name: lower-case letters, digits and hyphens")
    create.add_argument("--name", default="", help="its name as people write it")
    teams.add_parser("list", help="show all teams")
    invite = teams.add_parser("invite", help="make another one-time link for an admin")
    invite.add_argument("team", help="the team's short name")


def run(options: argparse.Namespace) -> int:
    """Carry out the parsed action; returns the exit status."""
    import asyncio  # here, since each list of commands imports this module

    with needing("desk"):
        import desk.service  # noqa: F401 - so that a missing package is told in one line
        from unmask.environment import read_settings
    return asyncio.run(_run(options, read_settings()))


async def _run(options: argparse.Namespace, settings: Settings) -> int:
    from desk.database import Database
    from desk.migrations import migrate
    from desk.service import open_desk

    if options.desk_action == "migrate":
        database = Database.of(settings)
        try:
            before, after = await migrate(database)
        finally:
            await database.close()
        _print(f"The database has revision {after} (before: {before or 'none'}).")
        return Exit.DONE
    async with open_desk(settings) as desk:
        if options.desk_action == "verify":
            return await _verify(desk, options.team)
        return await _team(desk, options, settings)


async def _verify(desk: Desk, slug: str | None) -> int:
    teams = [await desk.teams.find(slug)] if slug else await desk.teams.list()
    broken = False
    for team in teams:
        found = await desk.history.verify_team(team.id, team.slug)
        if found.holds:
            _print(f"{team.slug}: {found.entries} entries hold; head {found.head}")
        else:
            broken = True
            _print(f"{team.slug}: BROKEN at entry {found.broken} ({found.why})")
    return Exit.SOME_FAILED if broken else Exit.DONE


async def _team(desk: Desk, options: argparse.Namespace, settings: Settings) -> int:
    from desk.actors import machine_of
    from unmask.permissions import Role

    if options.team_action == "list":
        for team in await desk.teams.list():
            _print(f"{team.slug}  {team.name}  made {team.created:%Y-%m-%d}")
        return Exit.DONE
    if options.team_action == "create":
        team = await desk.teams.create(options.team, options.name)
        _print(f"The team {team.slug} is made.")
    else:
        team = await desk.teams.find(options.team)
    token = await desk.links.invite(machine_of(team.id, team.slug), Role.ADMIN)
    _print("An admin joins with this link, once, within 48 hours:")
    _print(f"{_address(settings)}/join/{token}")
    return Exit.DONE


def _address(settings: Settings) -> str:
    """Where people reach the server."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return settings.public_url.rstrip("/") or f"http://{host}:{settings.port}"


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
