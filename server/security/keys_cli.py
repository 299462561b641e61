"""``unmask keys create | list | revoke``: the keys from the command line.

:func:`add_arguments` adds the sub-commands to a parser, :func:`run` carries out what was parsed.
"""

from __future__ import annotations

import argparse
import asyncio
import math
from collections.abc import Callable

from redis.asyncio import Redis

from server.security.keys import ApiKey, ApiKeys
from unmask.permissions import CHECK_SCOPES, Scope
from unmask.queue.clients import reachable

Print = Callable[[str], None]
#: Longest life of a key that expires: a hundred years.
MAX_DAYS = 36_500


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``create``, ``list`` and ``revoke`` to the parser of ``unmask keys``."""
    actions = parser.add_subparsers(dest="keys_action", required=True, metavar="ACTION")
    create = actions.add_parser("create", help="make a key and show it, once")
    create.add_argument("name", help="whose key it is, for your own list")
    create.add_argument(
        "--scope",
        action="append",
        type=Scope,
        choices=CHECK_SCOPES,
        help="what it allows; may be repeated (default: check)",
    )
    create.add_argument("--team", help="bind its checks, and what it lists, to one team")
    create.add_argument("--days", type=_days, help="expires after so many days (default: never)")
    actions.add_parser("list", help="show all keys, without their secrets")
    revoke = actions.add_parser("revoke", help="make a key invalid at once")
    revoke.add_argument("prefix", help="the twelve digits after um_")


def run(args: argparse.Namespace, redis_url: str, out: Print = print) -> int:
    """Carry out the parsed command on the Redis at ``redis_url``; the exit status.

    Raises :class:`UnmaskError` ``bad_request`` for a name that no team can have and
    ``queue_unavailable``.
    """
    return asyncio.run(_run(args, redis_url, out))


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = math.nan
    if not 0 < days <= MAX_DAYS:
        raise argparse.ArgumentTypeError(f"must be more than 0 and at most {MAX_DAYS}")
    return days


async def _run(args: argparse.Namespace, redis_url: str, out: Print) -> int:
    async with Redis.from_url(redis_url) as redis:
        with reachable():
            return await _act(ApiKeys(redis), args, out)


async def _act(keys: ApiKeys, args: argparse.Namespace, out: Print) -> int:
    if args.keys_action == "create":
        return await _create(keys, args, out)
    if args.keys_action == "revoke":
        done = await keys.revoke(args.prefix)
        out(f"Revoked {args.prefix}." if done else f"There is no key {args.prefix}.")
        return 0 if done else 1
    for key in await keys.list():
        out(_line(key))
    return 0


async def _create(keys: ApiKeys, args: argparse.Namespace, out: Print) -> int:
    key, record = await keys.create(
        args.name, args.scope or (Scope.CHECK,), team=args.team, days=args.days
    )
    out(key)
    out(f"Keep it now: it is not shown again. {_line(record)}")
    return 0


def _line(key: ApiKey) -> str:
    parts = [
        key.prefix,
        key.name,
        "may " + ", ".join(sorted(key.scopes)),
        f"team {key.team}" if key.team else "",
        f"expires {key.expires:%Y-%m-%d %H:%M}" if key.expires else "never expires",
        f"last used {key.last_used:%Y-%m-%d %H:%M}" if key.last_used else "never used",
    ]
    return "  ".join(part for part in parts if part)
