"""Lists what the model was measured not to see, as the model card says it."""

from __future__ import annotations

from collections.abc import Iterator

from model_training.evaluation.markdown import count, figure, percent, plain
from model_training.report.inputs import Records, Table

#: What counts as a blind spot: fakes of a source of which no sign is found, reals called fake, and
#: a loss of area under the curve.
MISSED, ALARMS, LOSS = 0.05, 0.02, 0.02


def blind_spots(records: Records) -> str:
    """A list in Markdown, the worst of each kind first; says so where nothing was found."""
    lines = [
        *_sources(records.metrics),
        *_local(records.metrics),
        *_alarms(records.metrics),
        *_conditions(records.robustness),
        *_goals(records.goals),
    ]
    return "\n".join(f"- {line}" for line in lines) or "None was found."


def _sources(metrics: Table) -> Iterator[str]:
    sources = metrics["fakes_by_source"]
    # a kind that is all of a source, or of which a source is all, says nothing new
    kinds = {n: row for n, row in metrics["fakes_by_kind"].items() if row not in sources.values()}
    rows = {**sources, **{f"kind {name}": row for name, row in kinds.items()}}
    for name in sorted(rows, key=lambda name: -rows[name]["real"]):
        row = rows[name]
        if row["real"] >= MISSED:
            groups = f" in {count(row['groups'])} groups" if row["groups"] < row["count"] else ""
            yield (
                f"{name}: of {percent(row['real'])} of {count(row['count'])} fakes{groups} no sign "
                f"is found; {percent(row['fake'])} are called fake."
            )


def _local(metrics: Table) -> Iterator[str]:
    found = metrics.get("self_made")
    if found and found["verdicts"]["real"] >= MISSED:
        said = found["verdicts"]
        yield (
            f"Partial fakes made of test photographs: of {percent(said['real'])} of "
            f"{count(said['count'])} no sign is found; {percent(said['fake'])} are called fake."
        )


def _alarms(metrics: Table) -> Iterator[str]:
    for name, row in metrics["reals_by_source"].items():
        if row["called_fake"]["value"] > ALARMS:
            share = figure(row["called_fake"])
            yield f"Real pictures of {name}: {share} of {count(row['count'])} are called fake."


def _conditions(robustness: Table | None) -> Iterator[str]:
    rows = robustness["conditions"] if robustness else {}

    def loss(name: str) -> float:
        return float(rows[name]["auc_loss"]["value"] or 0.0)

    for name in sorted(rows, key=lambda name: -loss(name)):
        if loss(name) > LOSS:
            found = figure(rows[name]["auc_loss"], plain)
            yield f"After {name}: the area under the curve falls by {found}."


def _goals(goals: Table | None) -> Iterator[str]:
    for row in goals["rows"] if goals else ():
        if row["met"] is False and "retouch" in row["goal"]["name"]:
            found = f"{row['goal']['name']} {figure(row, plain)}, {row['count']}"
            yield f"Hand retouching: {found}; {row['note']}."
