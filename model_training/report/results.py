"""Renders docs/evaluation.md: the goals, every plot, and the tables that the card lacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import fill

from model_training.evaluation.markdown import count, figure, percent, plain, table
from model_training.report import collections, sections
from model_training.report.inputs import Records, Table
from model_training.report.whole import whole_section

REGENERATE = """## How to regenerate

No measured figure on this page is typed by hand; the goals and what peers reach are. With the data
set in some folders:

```
make evaluate DATA="faces modern swaps"
```

which runs `evaluate` (metrics.json and plots), `robustness`, `crowds`, `compare`, `left-out`,
`heads`, `views` and `goals`, then writes this page and [the model card](model-card.md).
`--cache FOLDER` keeps what the networks said, so that only a new model is asked again. Collections
kept back are a folder of their own, with an origins.csv (file, repository, licence, generator)
beside its faces.csv: `python -m model_training kept-back --data unseen --cache runs/cache`. The
ablations are made of run folders, and whole pictures are measured by their own command:

```
python -m model_training whole --data whole
python -m model_training ablate --data faces --run "as kept=runs/kept" --run "scratch=runs/scratch"
python -m model_training results
```

`python -m model_training gallery --data faces --out runs/gallery` draws right and wrong verdicts to
look at, and `evaluate` a sheet of masks (docs/evaluation/masks.png); both show pictures of the data
set and stay on the machine that made them. `python -m model_training reproduce --data archive`
trains and tests by the paper's own recipe, and prints its table beside this model's on the same
pictures. [Training](training.md) says how the model is made."""
#: What the columns of the ablations are called.
ABLATED = {
    "auc": "AUC",
    "auc_gain": "more than the first row",
    "auc_logit": "AUC, face's logit alone",
    "auc_without_retouch": "AUC without retouch",
    "within_ffhq_stylegan": "within ffhq_stylegan",
    "within_ffpp": "within ffpp",
    "mask_iou": "mask IoU",
    "false_area": "falsely marked",
}


def render(records: Records) -> str:
    """The page as Markdown."""
    parts = (
        _head(records),
        _goals(records.goals),
        _verdicts(records.metrics),
        _ranks(records.metrics),
        _certainty(records.metrics),
        _masks(records.metrics),
        _joins(records.joins),
        _left_out(records.left_out),
        _robustness(records.robustness),
        collections.kept_back_section(records.kept_back),
        sections.views_section(records.views),
        sections.crowds_section(records.crowds),
        _history(records.metrics),
        sections.heads_section(records.heads),
        whole_section(records.whole),
        _ablations(records.ablations),
        sections.noise_section(records.noise),
        REGENERATE,
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(records: Records) -> str:
    manifest, metrics = records.manifest, records.metrics
    counts = metrics["overall"]["counts"]
    return f"""# Evaluation of {manifest.name} {manifest.version}

<!-- Written by `python -m model_training results`; edit the template, not this file. -->

Measured on the {metrics["split"]} split: {count(counts["real"])} real and {count(counts["fake"])}
fake pictures in {count(counts["groups"])} groups. Bounds were fixed on validation. Figures in
brackets are 95 % intervals, from drawing groups (person, clip or photograph) again; where all
pictures were answered alike, exact ones. What the sources are: [the model card](model-card.md)."""


def _goals(goals: Table | None) -> str:
    if goals is None:
        return ""
    rows = []
    for row in goals["rows"]:
        goal, form = row["goal"], percent if row["goal"]["percent"] else plain
        target = f"{100 * goal['target']:g} %" if goal["percent"] else f"{goal['target']:g}"
        met = {True: "met", False: "**missed**", None: "not measured"}[row["met"]]
        wanted = f"{'at least' if goal['more'] else 'at most'} {target}"
        got = figure(row, form)
        counted = f"{row['count']}; {row['note']}" if row["note"] else row["count"]
        rows.append([goal["name"], wanted, got, counted, met, goal["peers"]])
    reached = sum(row["met"] is True for row in goals["rows"])
    head = ["what", "goal", "got (95 % interval)", "count", "", "the paper or the best peers"]
    return f"""## Goals

{reached} of {len(rows)} are met. A goal counts as met where the figure reaches it; the interval
says how sure that is. The peers were measured on pictures of their own.

{table(head, rows)}"""


def _verdicts(metrics: Table) -> str:
    overall = metrics["overall"]
    at, counts = overall["at_bound"], overall["counts"]
    return f"""## Verdicts

{figure(at["recall"])} of {count(counts["fake"])} fakes and {figure(at["false_alarms"])} of
{count(counts["real"])} real pictures are called fake.

![Truth against verdict, in pictures and shares](evaluation/confusion.png)

![The verdicts on each source](evaluation/verdicts.png)"""


def _ranks(metrics: Table) -> str:
    rows = []
    for name, found in metrics["fake_sources"].items():
        cells = []
        for key in ("against_all", "against_within"):
            part = found.get(key)
            cells.append(f"{figure(part['auc'], plain)}, {count(part['real'])}" if part else "")
        clips = found.get("by_clip")
        parts = clips and f"{plain(clips['auc'])}, {clips['fake']} against {clips['real']}"
        rows.append([name, count(found["fake"]), *cells, parts or ""])
    head = ["fakes of", "fakes", "AUC against all reals, count", "against their source's, count"]
    head.append("by clip")
    return f"""## Telling fakes from reals

Area under the ROC curve over all: {figure(metrics["overall"]["auc"], plain)}; fakes found at 1 %
false alarms, that bound fixed on this split: {figure(metrics["overall"]["recall_at_1_percent"])}.
By clip: all frames of one kind that were made of the same pair of clips are judged as one; clips
are too few for an interval.

{table(head, rows)}

![ROC curves of each source of fakes against all reals](evaluation/roc.png)"""


def _certainty(metrics: Table) -> str:
    found = metrics["calibration"]
    return f"""## Certainty

Over {count(found["count"])} pictures with a face, {found["bins"]} bins of equal width: expected
calibration error {plain(found["balanced"]["ece_equal_width"])} with both classes made equal, as it
was fitted, and {plain(found["as_is"]["ece_equal_width"])} as the split is; Brier score
{plain(found["brier"])}.

![Share of fakes against the probability that was said](evaluation/reliability.png)

![How the probabilities of reals and fakes lie between the bounds](evaluation/scores.png)"""


def _masks(metrics: Table) -> str:
    found = metrics["localisation"]
    parts = ["## Masks"]
    if found:
        parts += [
            f"### Face swaps and reenactments\n\n{count(found['pictures'])} fakes with true masks "
            f"in {count(found['groups'])} groups.",
            sections.mask_table(found),
        ]
    parts.append(sections.self_made_section(metrics))
    parts = [part for part in parts if part]
    return "\n\n".join(parts) if len(parts) > 1 else ""


def _joins(joins: Table | None) -> str:
    """Each judge alone, and ways to join them."""
    if joins is None:
        return ""
    counts = joins["counts"]
    families = list(next(iter(joins["scores"].values()))["by_family"])
    rows = [
        [name, plain(row["auc"]), percent(row["reals_called_fake"]), percent(row["fakes_found"])]
        + [percent(row["by_family"][family]) for family in families]
        for name, row in joins["scores"].items()
    ]
    head = ["score", "AUC", "reals called fake", "fakes found", *families]
    return f"""## Judges alone and joined

On validation, {count(counts["real"])} real and {count(counts["fake"])} fake pictures, each score
with the bound that calibration would set for it; the join that serves was chosen from these.

{table(head, rows)}"""


def _left_out(left_out: Table | None) -> str:
    """Families and real sources that heads were not fitted on."""
    if left_out is None:
        return ""
    families = [
        [name, count(row["fakes"]), plain(row["auc"]), plain(row["auc_seen"])]
        for name, row in left_out["families"].items()
    ]
    sources = [
        [name, count(row["count"]), percent(row["called_fake"])]
        for name, row in left_out["real_sources"].items()
    ]
    return f"""## Left out in turn

{fill(left_out["about"], 100)}

{table(["family left out", "fakes", "AUC without it", "AUC with it"], families)}

Photographs of a source that neither heads nor bound were fitted on:

{table(["source left out", "reals", "called fake"], sources)}"""


def _robustness(robustness: Table | None) -> str:
    if robustness is None:
        return ""
    named = {"as it is": robustness["as_it_is"], **robustness["conditions"]}
    sources = list(robustness["as_it_is"]["within"])
    rows = []
    for name, row in named.items():
        flips = row["flips"]
        within = [plain(row["within"][source]["auc"]["value"]) for source in sources]
        rows.append(
            [
                name,
                figure(row["auc"], plain),
                figure(row["auc_loss"], plain),
                *within,
                f"{figure(flips)}, {flips['count']} of {count(flips['of'])}",
                figure(row["reals_called_fake"]),
                percent(row["fakes_called_fake"]["value"]),
                str(row["no_face"]),
            ]
        )
    counts = robustness["counts"]
    most = robustness.get("most")
    bounded = f", at most {most} of each source and class" if most else ""
    chosen = fill(f"Sources{bounded}: {', '.join(robustness.get('sources', ()))}.", 100)
    head = ["copy", "AUC", "loss", *(f"within {source}" for source in sources)]
    head += ["flips", "reals called fake", "fakes called fake", "no face"]
    return f"""## Robustness

{chosen}

{count(counts["real"])} real and {count(counts["fake"])} fake pictures, and copies of them; faces
are found again in each. Flips are verdicts that turn from fake to real or back, among the pictures
that are called one of the two before and after. Pictures were enlarged where a side of 512 pixels
asks for it.

{table(head, rows)}

![AUC, its loss and changed verdicts for each copy](evaluation/robustness.png)

The area under the curve of each source's fakes against all reals:

{_by_source(named)}"""


def _by_source(named: dict[str, Table]) -> str:
    sources = list(named["as it is"]["fake_sources"])
    rows = [
        [name, *(plain(row["fake_sources"][source]) for source in sources)]
        for name, row in named.items()
    ]
    return table(["copy", *sources], rows)


def _history(metrics: Table) -> str:
    if not metrics["history"]:
        return ""
    return f"""## Training

{metrics["history"]["epochs"]} epochs, as the paper plots them.

![Loss and accuracy by epoch, training and validation](evaluation/history.png)"""


def _ablations(ablations: Sequence[Table]) -> str:
    if not ablations:
        return ""
    parts = [
        "## Ablations",
        "Runs that differ from the first one in one thing, each with its best weights on\n"
        "validation. The mask's overlap is taken in the run's own frame, with a bound fixed on\n"
        "validation; falsely marked is the share of a real face's frame. Pictures without a face\n"
        "are left out.",
    ]
    for series in ablations:
        parts += _series(series)
    return "\n\n".join(parts)


def _series(ablations: Table) -> Iterator[str]:
    if ablations["about"]:
        yield fill(ablations["about"], 100, break_long_words=False, break_on_hyphens=False)
    for split, counts in ablations["counts"].items():
        found = {name: run[split] for name, run in ablations["runs"].items()}
        columns = [key for key in ABLATED if any(run.get(key) for run in found.values())]
        rows = [[name, *(_ablated(run, key) for key in columns)] for name, run in found.items()]
        head = ["run", *(ABLATED[key] for key in columns)]
        yield f"On {split}, {count(counts['real'])} real and {count(counts['fake'])} fake pictures:"
        yield table(head, rows)


def _ablated(run: Table, key: str) -> str:
    found = run.get(key)
    return figure(found, percent if key == "false_area" else plain) if found else ""
