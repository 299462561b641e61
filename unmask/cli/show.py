"""How ``unmask check`` shows its outcomes: as text for people, in the terminal's language, or as
JSON, one line a picture, always in English."""

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
from unmask.i18n import Texts, gettext_noop, terminal_language, texts_in
from unmask.report import Face, Report, State, Verdict, shown_percent
from unmask.wording.errors import error_message
from unmask.wording.evidence import WEIGHTS, evidence_sentence, report_statement
from unmask.wording.reports import warning_sentences

#: Fewer pictures are through before a bar could be read.
MANY = 8
#: The terminal's own colours; the words say the same.
STYLES = {Verdict.FAKE: "bold red", Verdict.UNSURE: "yellow", Verdict.REAL: "cyan"}
TYPES = {
    Verdict.FAKE: gettext_noop("FAKE"),
    Verdict.UNSURE: gettext_noop("UNSURE"),
    Verdict.REAL: gettext_noop("REAL"),
}

Outcome = Report | UnmaskError
Show = Callable[[str, Outcome], None]


@contextmanager
def shown_on(pictures: int, as_json: bool) -> Iterator[Show]:
    """A function that shows the outcome for a picture, and a progress bar where there are many."""
    out, errors = _Console(soft_wrap=True), _Console(stderr=True, soft_wrap=True)
    texts = texts_in(terminal_language())
    if pictures <= MANY or not errors.is_terminal:
        yield _shower(out, errors, as_json, texts)
        return
    # On one screen, text and bar must go through one console, or they overwrite each other.
    out = errors if out.is_terminal else out
    with _progress(errors) as bar:
        task = bar.add_task(texts.gettext("Checking"), total=pictures)
        show = _shower(out, errors, as_json, texts)

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


def _shower(out: Console, errors: Console, as_json: bool, texts: Texts) -> Show:
    def show_json(name: str, outcome: Outcome) -> None:
        _print_line(out, as_line(name, outcome))

    def show_text(name: str, outcome: Outcome) -> None:
        if isinstance(outcome, UnmaskError):
            _print_error(errors, name, outcome, texts)
        else:
            _print_report(out, name, outcome, texts)

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


def _print_error(errors: Console, name: str, error: UnmaskError, texts: Texts) -> None:
    message = error_message(texts, error.as_json()["error"])
    line = Text.assemble(
        (plain(name), "bold"), ": ", (texts.gettext("error"), "bold red"), f": {plain(message)}",
        (f" [{error.code}]", "dim"),
    )  # fmt: skip
    errors.print(line)


def _print_report(out: Console, name: str, report: Report, texts: Texts) -> None:
    out.print(Text(plain(name), "bold"))
    if report.faces:
        out.print(_table(report.faces, texts))
    lines = [report_statement(texts, report)]
    lines += [
        texts.gettext(
            "File: {sentence} ({weight})",
            sentence=evidence_sentence(texts, finding),
            weight=texts.gettext(WEIGHTS[finding.weight]),
        )
        for finding in report.evidence
    ]
    lines += [
        texts.gettext("Note: {warning}", warning=warning)
        for warning in warning_sentences(texts, report)
    ]
    written = report.pictures.model_dump(exclude_none=True).values()
    if written:
        lines.append(texts.gettext("Written: {files}", files=", ".join(written)))
    for line in lines:
        out.print(Text(plain(line)))
    out.print()


def _table(faces: tuple[Face, ...], texts: Texts) -> Table:
    """Face, type and probability, one row a face, in the order of the numbers on the picture."""
    gettext = texts.gettext
    heads = gettext("Face"), gettext("Type"), gettext("Probability")
    table = Table(*heads, box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for number, face in enumerate(faces, 1):
        fake = shown_percent(face.fake_probability)
        kind = Text(gettext(TYPES[face.verdict]), STYLES[face.verdict])
        odds = gettext("FAKE {fake} % / REAL {real} %", fake=fake, real=100 - fake)
        table.add_row(str(number), kind, odds)
    return table
