"""The tables of an evaluation as the model card and the evaluation's page show them."""

from __future__ import annotations

from textwrap import fill
from typing import Any

from model_training.evaluation.markdown import count, figure, percent, plain, table
from unmask.detector.manifest import Manifest

Table = dict[str, Any]
METHODS = {
    "unmask": "Unmask's mask",
    "paper": "grey-scale threshold, the paper's",
    "activation": "class-activation map",
    "same_place": "the same region on every face",
}


def overall_section(metrics: Table) -> str:
    """The verdicts of all pictures."""
    overall, worst = metrics["overall"], metrics["most_suspicious"]
    counts = overall["counts"]
    names = ("accuracy", "precision", "recall", "f1", "false_alarms")
    rows = [
        [
            name.replace("_", " ").replace("f1", "F1"),
            figure(overall["at_bound"][name]),
            figure(overall["at_half"][name]),
        ]
        for name in names
    ]
    keys = ("true_positive", "false_positive", "true_negative", "false_negative")
    for key in keys:
        pair = (overall[at]["confusion"][key] for at in ("at_bound", "at_half"))
        rows.append([key.replace("_", " ") + "s", *map(count, pair)])
    shares = [
        [f"{word}, {count(row['count'])}", *(percent(row[v]) for v in VERDICTS)]
        for word, row in overall["verdicts"].items()
    ]
    return f"""## Results on the {metrics["split"]} split

{counts["real"]:,} real and {counts["fake"]:,} fake pictures in {counts["groups"]:,} groups. No face
was found in {counts["no_face_real"]} real and {counts["no_face_fake"]} fake ones; these count as
not called fake. "Called fake" is the verdict "fake"; "at one half" ignores the band of doubt.

{table(["", "verdict fake", "at one half"], rows)}

Area under the ROC curve: {figure(overall["auc"], plain)}. Fakes found when 1 % of the real
pictures may be called fake, bound fixed on this split: {figure(overall["recall_at_1_percent"])}.

{table(["truth, pictures", *VERDICTS.values()], shares)}

The figures are for a picture's largest face. {worst["pictures_with_several_faces"]} pictures hold
several; taking the most suspicious one, as the product does, changes
{worst["verdicts_changed"]} verdicts: recall {percent(worst["recall"])}, false alarms
{percent(worst["false_alarms"])}."""


#: The verdicts as tables head them.
VERDICTS = {"real": "no sign found", "unsure": "unsure", "fake": "fake", "no_face": "no face"}


def fakes_section(metrics: Table) -> str:
    """How fakes of each source and kind are told."""
    unseen = {e["source"] for e in metrics["data"] if not e["train"] + e["val"]}
    rows = []
    for name, row in metrics["fakes_by_source"].items():
        ranks = metrics["fake_sources"][name]
        own = ranks.get("against_within")
        rows.append(
            [
                name + (" **unseen**" if name in unseen else ""),
                count(row["count"]),
                count(row["groups"]),
                figure(row["called_fake"]),
                percent(row["real"]),
                figure(ranks["against_all"]["auc"], plain) if "against_all" in ranks else "",
                f"{figure(own['auc'], plain)}, {count(own['real'])} reals" if own else "",
            ]
        )
    head = ["source", "fakes", "groups", "called fake", "no sign found"]
    kinds = [
        [name, count(row["count"]), count(row["groups"]), figure(row["called_fake"])]
        for name, row in metrics["fakes_by_kind"].items()
    ]
    return f"""### Fakes by source

The second area under the curve, against real pictures of the same source alike in framing and
quality, is the one that shortcuts help least.

{table([*head, "AUC, all reals", "AUC, own reals"], rows)}

### Fakes by kind

{table(["kind", "fakes", "groups", "called fake"], kinds)}"""


def reals_section(metrics: Table) -> str:
    """What was said of the real pictures of each source."""
    rows = [
        [name, count(row["count"]), figure(row["called_fake"])]
        + [percent(row[key]) for key in ("unsure", "real", "no_face")]
        for name, row in metrics["reals_by_source"].items()
    ]
    head = ["source", "reals", "called fake", "unsure", "no sign found", "no face"]
    return f"### False alarms by source\n\n{table(head, rows)}"


def calibration_section(metrics: Table, manifest: Manifest) -> str:
    """What was fixed on validation, and how far the probability can be taken at its word."""
    found, bounds, scaling = metrics["calibration"], manifest.thresholds, manifest.calibration
    rows = [
        [name, plain(found[key]["ece_equal_width"]), plain(found[key]["ece_equal_mass"])]
        for key, name in (("balanced", "classes made equal"), ("as_is", "as in the split"))
    ]
    return f"""## Calibration and bounds

Fixed on the validation split, never on the one reported. Probability =
sigmoid({plain(scaling.scale)} x logit {scaling.offset:+.3f}), Platt scaling with both classes
and, within each, all sources counting alike: it answers for a face of which nothing else is known.

| bound | value | meaning |
|---|---|---|
| fake | {plain(bounds.fake)} | at or above: "fake"; more among several faces |
| real | {plain(bounds.real)} | below: "no sign of manipulation was found"; more among several |
| mask | {plain(bounds.mask)} | pixels of the heatmap at or above are marked |
{_validation(manifest)}
Expected calibration error over {found["bins"]} bins, {found["count"]:,} pictures with a face; Brier
score {plain(found["brier"])}.

{table(["", "bins of equal width", "bins of equal number"], rows)}"""


def crowds_section(crowds: Table | None) -> str:
    """What is said of pictures of several people."""
    if crowds is None:
        return ""
    rows = [
        [name, what, count(group[key]["count"])]
        + [figure(group[key][called]) for called in ("called_fake", "called_fake_single")]
        + [percent(group[key][said]) for said in ("real", "real_single", "unsure")]
        for name, group in crowds["groups"].items()
        for key, what in (("real", "all real"), ("one_fake", "one is fake"))
    ]
    head = ["people", "", "pictures", "called fake", "with single bounds"]
    return f"""## Several people in one picture

Sheets of faces of the {crowds["split"]} split, smaller the more there are, from the sources
{", ".join(crowds.get("sources", ()))}. Of many real faces one
looks suspicious now and then, so both bounds rise with their number; the last column of each pair
says what the bounds of a single face would have meant. The worst face decides: a group is cleared
only if each of its faces is. Intervals are from drawing sheets again.

{table([*head, "no sign found", "with single bounds", "unsure"], rows)}"""


def _validation(manifest: Manifest) -> str:
    record = manifest.metrics.get("validation")
    if not record:
        return ""
    aims, bound = record["aims"], record["fake_bound"]
    counts, mask = record["pictures"], record["mask"]
    promise = "" if bound["guaranteed"] else " (there were too few of them for this promise)"
    said = f"""
On {counts["real"]:,} real and {counts["fake"]:,} fake validation pictures: the fake bound lies just
above the real picture of rank {bound["rank"]:,}, so that of further pictures like them no more than
{percent(aims["false_alarms"])} are expected to be called fake (split conformal
prediction){promise}, and no more than {percent(aims["source_false_alarms"])} of any larger source
there are. Under the real bound lie at most {percent(aims["missed"])} of the fakes."""
    if record.get("left_out"):
        said += _without_source(record["left_out"])
    if family := manifest.thresholds.family:
        said += f"""
Among n faces the fake bound's logit is {plain(family.offset)} + {plain(family.scale)} x ln n, if
that is more: no more than {percent(aims["source_false_alarms"])} of pictures of several real people
are expected to be called fake, if the logits of reals fall off as their highest tenth does. The
real bound's logit rises by {plain(family.real_scale)} x ln n, to one half at most: of no more than
{percent(aims["missed"])} of groups with one fake no sign is found, if faces err independently."""
    if mask:
        said += f"""
The mask bound marks the {mask["pictures"]:,} pictures with true masks best (mean IoU
{plain(mask["iou"])}) among bounds at which at most {percent(aims["false_area"])} of a real face's
frame is shown as marked, on average over {mask["reals"]:,} (there: {percent(mask["false_area"])};
it would be {percent(mask["false_area_all"])} if every face were shown a mask)."""
        said += _mask_trade_off(mask)
    return said + "\n"


def _without_source(left_out: Table) -> str:
    """What a source of photographs that the bound never saw may expect."""
    shares = [(row["called_fake"], name, row["count"]) for name, row in left_out.items()]
    worst, name, number = max(shares)
    mean = sum(share for share, _, _ in shares) / len(shares)
    return f"""
With each of {len(shares)} real sources left out of the fixing of the bound in turn, {percent(mean)}
of the one left out are called fake on average, and at most {percent(worst)} ({name},
{count(number)} pictures): that is what a source never seen may expect of the bound. The networks
had seen other pictures of each of these sources."""


def _mask_trade_off(mask: Table) -> str:
    """What other mask bounds would have meant; nothing for a manifest that does not tell."""
    rows = [
        [
            percent(row["aim"]),
            plain(row["threshold"]),
            plain(row["iou"]),
            percent(row["false_area"]),
        ]
        for row in mask.get("trade_off", ())
    ]
    head = ["aim for a real face's frame", "mask bound", "mean IoU", "falsely marked"]
    return f"\n\nOther aims would have meant:\n\n{table(head, rows)}" if rows else ""


def localisation_section(metrics: Table) -> str:
    """How well the masks fit."""
    found = metrics["localisation"]
    if not found:
        return "## Where it was altered\n\nNot measured: the split has no true masks."
    return f"""## Where it was altered

{found["pictures"]} fakes with true masks in {found["groups"]} groups, all methods on the same
pictures and in their size; no face was found in {found["no_face"]}. Variants and thresholds of the
rivals were chosen on validation. Falsely marked is the share of a real face's frame: for all real
faces, and as people see it, with no mask where no sign was found.

{mask_table(found)}

As people see it, Unmask's mean IoU is
{figure(found["methods"]["unmask"]["iou_shown"], plain)}. A method that does not beat "the same
region on every face" locates nothing."""


def mask_table(found: Table) -> str:
    """Every method's overlap with the true masks and, where reals were measured, what it marks on
    them."""
    keys = ["iou", "pixel_f1", "pixel_precision", "pixel_recall"]
    head = ["method", "IoU", "pixel F1", "pixel precision", "pixel recall"]
    if "false_area" in found["methods"]["unmask"]:
        keys += ["false_area", "false_area_shown"]
        head += ["falsely marked, all", "falsely marked, shown"]
    rows = []
    for name, row in found["methods"].items():
        label = METHODS.get(name, name)
        variant = "" if name == "unmask" else f" ({row['variant']})"
        figures = [figure(row[key], plain if "area" not in key else None) for key in keys]
        rows.append([label + variant, *figures])
    return table(head, rows)


def self_made_section(metrics: Table) -> str:
    """The same on partial fakes made of the split's photographs."""
    found = metrics.get("self_made")
    if not found:
        return ""
    masks, said, ranks = found["localisation"], found["verdicts"], found["against_reals"]
    return f"""### Partial fakes made of test photographs

{masks["pictures"]} fakes with exact masks, made of the split's own photographs as training makes
its own (parts and faces swapped, blended, warped or painted over), saved as JPEG; people and draws
that training never had, but its own methods. {percent(said["fake"])} are called fake, of
{percent(said["real"])} no sign is found; AUC against {count(ranks["real"])} reals
{figure(ranks["auc"], plain)}.

{mask_table(masks)}"""


def noise_section(noise: Table | None) -> str:
    """The paper's noise removal, with and without."""
    if noise is None:
        return ""
    counts = noise["pictures"]
    sources = list(next(iter(noise["methods"].values()))["auc_within"])
    rows = [
        [name, plain(row["auc"]), percent(row["recall_at_1_percent"])]
        + [plain(row["auc_within"][source]) for source in sources]
        for name, row in noise["methods"].items()
    ]
    head = ["noise removal", "AUC", "fakes found at 1 % false alarms"]
    return f"""## Noise removal

The paper removes noise before it classifies. On the {noise["split"]} split ({counts["real"]:,} real
and {counts["fake"]:,} fake pictures), put before this network, which was trained without it:

{table([*head, *(f"AUC within {source}" for source in sources)], rows)}"""


#: How the parts of views.json are headed, and what their first column holds.
VIEWS = {
    "small": ("Small faces, copies of {scales} of the pictures' sides among them", "frame, pixels"),
    "turned": (
        "Turned faces of the whole split, by how far the eyes lie apart",
        "distances from eyes to mouth",
    ),
    "covered": ("Covered faces, the covers drawn over them", "cover"),
}


def views_section(views: Table | None) -> str:
    """The verdicts on small, turned and covered faces."""
    if views is None:
        return ""
    counts, most = views["counts"], views["most"]
    bounded = f", at most {most} of each source and class" if most else ""
    text = (
        f"{count(counts['real'])} real and {count(counts['fake'])} fake pictures of the "
        f"{views['split']} split{bounded}, and copies of them. Each picture counts in the row of "
        "its largest face."
    )
    parts = [
        f"""## Small, turned and covered faces

{fill(text, 100)}"""
    ]
    scales = ", ".join(f"{scale:.3g}" for scale in views["scales"])
    for key, (title, first) in VIEWS.items():
        rows = [_view(name, row) for name, row in views[key].items()]
        head = [first, "reals", "called fake", "cleared", "fakes", "called fake", "cleared", "AUC"]
        parts += [f"### {title.format(scales=scales)}", table(head, rows)]
    return "\n\n".join(parts)


def _view(name: str, row: Table) -> list[str]:
    cells = [name]
    for label in ("real", "fake"):
        part = row[label]
        called = part.get("called_fake")
        cells += [
            count(part["count"]),
            figure(called) if called else "",
            percent(part["real"]) if part["count"] else "",
        ]
    return [*cells, figure(row["auc"], plain) if "auc" in row else ""]


#: The parts of heads.json: their headings and their first columns.
HEADS = {
    "recipe": ("The tower, worn copies and the form of the head", "heads"),
    "data": ("Data, a folder added in turn", "fitted on"),
    "crop": ("The crop, on pictures that reach beyond the face", "crop"),
}


def heads_section(heads: Table | None) -> str:
    """What parts of the recipe are worth, on heads fitted for that."""
    if heads is None:
        return ""
    parts = [
        f"""## Heads on written features

Heads fitted on features of CLIP's tower, at most {heads["fitted_on"]} training pictures of each
source and class, and measured on validation pictures, at most {heads["measured_on"]} of each. They
say which way things go: what is shipped was trained end to end, on all pictures."""
    ]
    for key, (title, first) in HEADS.items():
        if not heads[key]:
            continue
        families = list(next(iter(heads[key].values()))["by_family"])
        rows = [_head(name, row, families) for name, row in heads[key].items()]
        head = [first, "copies fitted on", "reals, fakes", "AUC", "worn copies", *families]
        parts += [f"### {title}", table(head, rows)]
    return "\n\n".join(parts)


def _head(name: str, row: Table, families: list[str]) -> list[str]:
    worn = row["auc_worn"]
    return [
        name,
        count(row["fitted_on"]),
        f"{count(row['real'])}, {count(row['fake'])}",
        figure(row["auc"], plain),
        "" if worn is None else plain(worn),
        *(plain(row["by_family"][family]) for family in families),
    ]
