"""The table of collections kept back, as the evaluation's page shows it."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill

from model_training.evaluation.markdown import count, figure, plain, table
from model_training.report.inputs import Table

HEAD = [
    "collection",
    "reals",
    "called fake",
    "cleared",
    "fakes",
    "called fake",
    "cleared",
    "AUC against all reals",
]


def kept_back_section(found: Table | None) -> str:
    """The verdicts on each collection, as it came and as a copy, and where they are from."""
    if found is None:
        return ""
    counts, flips = found["counts"], found["flips"]
    text = (
        f"{count(counts['real'])} real and {count(counts['fake'])} fake pictures by collectors who "
        "are in no list that the model was trained, tuned or chosen with; no bound and no rule "
        "was chosen by them. Whole files, each judged by its largest face; without a face: "
        f"{counts['no_face_real']} real, {counts['no_face_fake']} fake."
    )
    parts = [f"## Collections kept back\n\n{fill(text, 100)}"]
    for copy, figures in found["copies"].items():
        rows = [_row(name, row) for name, row in figures["collections"].items()]
        rows.append(_row("**all**", figures["all"]))
        parts += [f"### Each picture {_worded(copy)}", table(HEAD, rows)]
    note = (
        f"Of {count(flips['of'])} pictures that were called fake or cleared in both forms, "
        f"{flips['count']} flipped ({figure(flips)})."
    )
    parts.append(fill(note, 100))
    head = ["collection", "repositories, their licences, and pictures of each", "generators"]
    parts += ["### Where they are from", table(head, _origins(found["origins"]))]
    return "\n\n".join(parts)


def _worded(copy: str) -> str:
    return copy if copy.startswith("as ") else f"with its {copy}"


def _row(name: str, row: Table) -> list[str]:
    cells = [name]
    for label in ("real", "fake"):
        part = row.get(label)
        cells += (
            [count(part["count"]), figure(part["called_fake"]), figure(part["cleared"])]
            if part
            else ["", "", ""]
        )
    return [*cells, figure(row["auc"], plain) if "auc" in row else ""]


def _origins(origins: Table) -> Iterator[list[str]]:
    for name, found in origins.items():
        repositories = "; ".join(
            f"{one['repository']} ({one['licence']}), {one['pictures']}"
            for one in found["repositories"]
        )
        yield [name, repositories or "not noted", ", ".join(found["generators"])]
