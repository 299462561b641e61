"""How ``unmask check`` shows its outcomes: as text for people, or as JSON, one line a picture."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from unmask.errors import UnmaskError
from unmask.report import Face, Report, State, Verdict, shown_percent

#: Fewer pictures are through before a bar could be read.
MANY = 8
#: The terminal's own colours; the words say the same.
STYLES = {Verdict.FAKE: "bold red", Verdict.UNSURE: "yellow", Verdict.REAL: "cyan"}

Outcome = Report | UnmaskError
Show = Callable[[str, Outcome], None]


@contextmanager
def shown_on(pictures: int, as_json: bool) -> Iterator[Show]:
    """A function that shows the outcome for a picture, and a progress bar where there are many."""
    out, errors = _Console(soft_wrap=True), _Console(stderr=True, soft_wrap=True)
    if pictures <= MANY or not errors.is_terminal:
        yield _shower(out, errors, as_json)
        return
    # On one screen, text and bar must go through one console, or they overwrite each other.
    out = errors if out.is_terminal else out
    with _progress(errors) as bar:
        task = bar.add_task("Checking", total=pictures)
        show = _shower(out, errors, as_json)

        def show_and_count(name: str, outcome: Outcome) -> None:
            show(name, outcome)
            bar.advance(task)

        yield show_and_count


class _Console(Console):
    """A console that leaves it to the command what to do when nobody reads on."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def _progress(console: Console) -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    return Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        redirect_stdout=False,  # what is piped elsewhere must not end up beside the bar
        redirect_stderr=False,
    )


def _shower(out: Console, errors: Console, as_json: bool) -> Show:
    def show_json(name: str, outcome: Outcome) -> None:
        _print_line(out, as_line(name, outcome))

    def show_text(name: str, outcome: Outcome) -> None:
        if isinstance(outcome, UnmaskError):
            _print_error(errors, name, outcome)
        else:
            _print_report(out, name, outcome)

    return show_json if as_json else show_text


def as_line(name: str, outcome: Outcome) -> str:
    """The file's name and its report, or its error in the one shape, as one line of JSON.

    ASCII, so that it is the same JSON in every locale, whatever bytes a file's name holds.
    """
    shown = outcome.as_json() if isinstance(outcome, UnmaskError) else _report_json(outcome)
    return json.dumps({"file": name, **shown}, default=str)


def _report_json(report: Report) -> dict[str, Any]:
    """A report, and what the version before said of the check that it belonged to."""
    check = {"id": uuid4().hex, "state": State.DONE, "created": datetime.now(UTC).isoformat()}
    return check | report.model_dump(mode="json")


def plain(text: str) -> str:
    """Text without control characters: a file's name must not steer the terminal."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def _print_line(console: Console, line: str) -> None:
    if console.is_terminal:
        console.print(line, markup=False, highlight=False)
    else:
        console.file.write(line + "\n")
        console.file.flush()


def _print_error(errors: Console, name: str, error: UnmaskError) -> None:
    line = Text.assemble(
        (plain(name), "bold"), ": ", ("error", "bold red"), f": {plain(error.message)}",
        (f" [{error.code}]", "dim"),
    )  # fmt: skip
    errors.print(line)


def _print_report(out: Console, name: str, report: Report) -> None:
    out.print(Text(plain(name), "bold"))
    if report.faces:
        out.print(_table(report.faces))
    lines = [report.statement]
    lines += [f"Note: {warning}" for warning in report.warnings]
    written = report.pictures.model_dump(exclude_none=True).values()
    if written:
        lines.append(f"Written: {', '.join(written)}")
    for line in lines:
        out.print(Text(plain(line)))
    out.print()


def _table(faces: tuple[Face, ...]) -> Table:
    """Face, type and probability, one row a face, in the order of the numbers on the picture."""
    table = Table("Face", "Type", "Probability", box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for number, face in enumerate(faces, 1):
        fake = shown_percent(face.fake_probability)
        kind = Text(face.verdict.value.upper(), STYLES[face.verdict])
        table.add_row(str(number), kind, f"FAKE {fake} % / REAL {100 - fake} %")
    return table
