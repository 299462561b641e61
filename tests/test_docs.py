"""What docs/ says of settings, commands and metrics is what the code has."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import pytest

from scripts import desk_routes, performance_tables
from scripts.settings_table import PAGE, with_table
from server.metrics import Metrics
from unmask.cli.command import _parser
from unmask.commands import installed_commands
from unmask.queue.stats import Stats
from unmask.settings import Settings

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
COMMANDS = (DOCS / "command.md").read_text()
OPERATION = (DOCS / "operation.md").read_text()


def test_the_table_of_settings_is_the_settings() -> None:
    assert PAGE.read_text() == with_table(PAGE.read_text()), "run: python -m scripts.settings_table"


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_every_setting_that_is_named_exists(page: str) -> None:
    named = set(re.findall(r"\bUNMASK_([A-Z_]*[A-Z])\b", (DOCS / page).read_text()))
    # These are Compose's: where the server is published, and the passwords of Redis and PostgreSQL.
    assert named - {"PUBLISH", "REDIS_PASSWORD", "POSTGRES_PASSWORD"} <= {
        name.upper() for name in Settings.model_fields
    }


def test_what_the_service_holds_in_memory_is_what_was_measured() -> None:
    found = json.loads((ROOT / "benchmarks/results/memory.json").read_text())
    worker, largest = found["worker_mb"], found["largest_pictures"]
    said = " ".join(OPERATION.split())
    assert f"Each holds {worker['after 200 checks']} MB after 200 ordinary checks" in said
    peak = f"{worker['highest, largest pictures'] / 1000:.1f} GB at the highest"
    millions = largest["pixels"] // 1_000_000
    assert f"{peak} for a batch of {largest['count']} of {millions} million pixels each" in said
    assert f"about {found['redis_bytes_a_check'] / 1000:.1f} KB for a check" in said


@pytest.mark.parametrize("page", performance_tables.PAGES, ids=lambda page: page.name)
def test_the_tables_of_performance_are_what_was_measured(page: Path) -> None:
    text = page.read_text()
    assert "<!-- measured: " in text
    assert text == performance_tables.with_tables(text), "run: python -m scripts.performance_tables"


def test_the_flame_graphs_are_those_of_the_samples() -> None:
    for path, picture in performance_tables.flame_graphs().items():
        assert path.read_text() == picture, "run: python -m scripts.performance_tables"
        assert f"(performance/{path.name})" in (DOCS / "performance.md").read_text()


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_every_link_leads_somewhere(page: str) -> None:
    for target, mark in re.findall(
        r"\]\(([\w./-]*\.md)(?:#([\w-]+))?\)", (DOCS / page).read_text()
    ):
        text = (DOCS / target).read_text()
        heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        assert not mark or mark in [
            re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads
        ]


def usages(parser: argparse.ArgumentParser, words: str) -> dict[str, argparse.ArgumentParser]:
    """Each command that can be given, with all its words."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found: dict[str, argparse.ArgumentParser] = {}
            for name, sub in action.choices.items():
                found |= usages(sub, f"{words} {name}")
            return found
    return {words: parser}


def test_the_docs_list_every_command_and_its_options() -> None:
    block = COMMANDS.partition("```\n")[2].partition("```")[0]
    listed = {re.split(r" (?:[A-Z\[])", line)[0]: line for line in block.splitlines()}
    listed.pop("unmask --version")
    found = usages(_parser(*installed_commands()), "unmask")
    assert set(listed) == set(found)
    for words, parser in found.items():
        options = {name for action in parser._actions for name in action.option_strings}
        assert set(re.findall(r"--\w+", listed[words])) == {
            name for name in options if name.startswith("--") and name != "--help"
        }


def test_the_docs_list_every_metric() -> None:
    counters = {"batches": 1, "batch_size:8": 1, "ms:model": 1, "error:internal": 1}
    stats = Stats(
        depth={"unmask-shared-bulk": 1},
        waiting=1,
        running=0,
        oldest_seconds=1,
        estimated_wait_seconds=1,
        workers=1,
        models={},
        counters=counters,
    )
    lines = Metrics().exposition(stats).decode().splitlines()
    kinds = dict(line.split()[2:4] for line in lines if line.startswith("# TYPE"))
    shown = {name for name in kinds if not name.endswith("_created")}
    assert shown == set(re.findall(r"unmask_[a-z_]+[a-z]", OPERATION.partition("## Monitoring")[2]))


def test_the_routes_of_the_desk_are_those_of_the_code() -> None:
    assert desk_routes.PAGE.read_text() == desk_routes.page(), "run: python -m scripts.desk_routes"
