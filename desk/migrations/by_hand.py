"""What no model describes: the triggers that guard the history, and the search.

Used by revision 0004; a later change of either gets functions of its own.
"""

from __future__ import annotations

from alembic import op

_REFUSED = "the history is append-only"
#: What may not happen to a table: the texts of the history may be erased, but never rewritten.
_GUARDED = {"history": ("UPDATE", "DELETE"), "history_texts": ("UPDATE",)}


def make_triggers() -> None:
    """Refuse to change or remove an entry of the history."""
    if op.get_bind().dialect.name == "sqlite":
        for table, events in _GUARDED.items():
            for event in events:
                op.execute(
                    f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION unmask_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$"
    )
    for table, events in _GUARDED.items():
        named = " OR ".join((*events, "TRUNCATE") if "DELETE" in events else events)
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE {named} ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION unmask_refuse()"
        )


def drop_triggers() -> None:
    """Undo :func:`make_triggers`."""
    if op.get_bind().dialect.name == "sqlite":
        return  # they go with their tables
    for table in _GUARDED:
        op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
    op.execute("DROP FUNCTION unmask_refuse()")


def make_search() -> None:
    """An index over ``case_text.folded``, which holds words that are folded and parted by spaces.

    Both databases take each word as it is: :mod:`desk.text` does what depends on language. Rows of
    SQLite's index also hold the team, so that the newest thousand matches are the team's own.
    """
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE INDEX ix_case_search ON case_text USING gin "
            "((array_to_tsvector(string_to_array(folded, ' '))))"
        )
        return
    op.execute(
        "CREATE VIRTUAL TABLE case_search USING fts5(team_id, folded, content='case_text', "
        "content_rowid='case_id', prefix='3', "
        "tokenize=\"unicode61 remove_diacritics 0 categories 'L* N* M* Co'\")"
    )
    added = (
        "INSERT INTO case_search(rowid, team_id, folded) VALUES (new.case_id, new.team_id, "
        "new.folded);"
    )
    removed = (
        "INSERT INTO case_search(case_search, rowid, team_id, folded) VALUES ('delete', "
        "old.case_id, old.team_id, old.folded);"
    )
    for event, name, done in (
        ("INSERT", "added", added),
        ("DELETE", "removed", removed),
        ("UPDATE", "changed", removed + added),
    ):
        op.execute(f"CREATE TRIGGER case_search_{name} AFTER {event} ON case_text BEGIN {done} END")


def drop_search() -> None:
    """Undo :func:`make_search`."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX ix_case_search")
        return
    for name in ("added", "removed", "changed"):
        op.execute(f"DROP TRIGGER case_search_{name}")
    op.execute("DROP TABLE case_search")
