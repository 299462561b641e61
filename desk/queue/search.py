"""The words of a search: title, claim and summary of a case, or its number."""

from __future__ import annotations

import re

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from desk.database import SQLITE
from desk.models import Case
from desk.text import MAX_WORDS, MIN_PREFIX, folded_words

#: The newest matches that are looked at; other conditions and the order apply to these. Ranking a
#: common word over a million cases takes seconds, so relevance is not offered.
MAX_MATCHES = 1_000
_NUMBER = re.compile(r"\s*#?([0-9]{1,9})\s*")

_SQLITE = sa.text(
    "SELECT rowid FROM case_search WHERE case_search MATCH :query ORDER BY rowid DESC LIMIT :most"
)
_POSTGRESQL = sa.text(
    "SELECT case_id FROM case_text WHERE team_id = :team AND "
    "array_to_tsvector(string_to_array(folded, ' ')) @@ CAST(:query AS tsquery) "
    "ORDER BY case_id DESC LIMIT :most"
)


async def matching_cases(session: AsyncSession, team_id: int, text: str) -> list[int]:
    """The rows of the team's newest cases that have all words of ``text``, at most 1,000.

    The last word may be a beginning. A number alone also finds the case of that number.
    """
    found: list[int] = []
    if number := _NUMBER.fullmatch(text):
        query = sa.select(Case.id).where(Case.team_id == team_id, Case.number == int(number[1]))
        found = list(await session.scalars(query))
    words = folded_words(text)[:MAX_WORDS]
    if not words:
        return found
    is_sqlite = session.get_bind().dialect.name == SQLITE
    parameters: dict[str, object] = {"most": MAX_MATCHES}
    if is_sqlite:
        parameters["query"] = _fts5(team_id, words)
    else:
        parameters |= {"query": _tsquery(words), "team": team_id}
    rows = await session.scalars(_SQLITE if is_sqlite else _POSTGRESQL, parameters)
    return list(dict.fromkeys([*found, *rows]))


def _fts5(team_id: int, words: list[str]) -> str:
    """The query of SQLite: words hold letters, digits and marks alone, and are quoted besides."""
    terms = [f'"{word}"' for word in words]
    if len(words[-1]) >= MIN_PREFIX:
        terms[-1] += " *"
    return f'team_id : "{team_id}" AND folded : ({" AND ".join(terms)})'


def _tsquery(words: list[str]) -> str:
    """The query of PostgreSQL; a word holds no quote that could end its own."""
    terms = [f"'{word}'" for word in words]
    if len(words[-1]) >= MIN_PREFIX:
        terms[-1] += ":*"
    return " & ".join(terms)
