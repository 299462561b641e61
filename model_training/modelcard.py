"""Writes docs/model-card.md from an evaluation's metrics.json and the model's manifest alone.

No figure is typed by hand: :func:`stale` tells whether the card is still what the two files say.
"""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

from model_training.markdown import count as _count
from model_training.markdown import figure as _figure
from model_training.markdown import flat as _flat
from model_training.markdown import percent as _percent
from model_training.markdown import plain as _plain
from model_training.markdown import table as _table
from model_training.noise import NOISE_FILE
from unmask.detector.manifest import Manifest, load_manifest

Table = dict[str, Any]

#: Where the pictures come from and under which terms, by the source's name in the data set.
SOURCES = {
    "140k": ("'140k Real and Fake Faces': FFHQ photographs and StyleGAN faces", "as on Kaggle"),
    "all_age": ("web portraits of all ages, mostly Asian, often soft", "its source's, research"),
    "celebahq": ("aligned photographs of celebrities", "its source's, research"),
    "congress": ("studio portraits, plain or flag backdrops", "public domain by origin"),
    "ffhq_1024": ("FFHQ photographs from their full size", "its source's, research"),
    "ffhq_stylegan": (
        "FFHQ photographs and StyleGAN faces, alike in frame",
        "its source's, research",
    ),
    "ffpp": ("video frames in FaceForensics++ style: originals, swaps, reenactments", "research"),
    "omi": ("StyleGAN2 faces, One Million Impressions", "CC BY-NC-SA 4.0"),
    "omi_edit": ("StyleGAN2 attribute edits", "its source's, research"),
    "portraits": ("web portraits, some grey", "CC BY-NC-SA 4.0"),
    "retouch": ("CIPLAB: photographs, and faces retouched by hand", "its source's, research"),
    "sd21": ("Stable Diffusion 2.1 faces", "its source's, research"),
    "studio_gan": ("GAN faces before a plain studio backdrop", "its source's, research"),
    "stylegan3": ("StyleGAN3 faces, a generator never trained on", "its source's, research"),
    "tight_faces": ("very tight crops, some grey", "CC BY-NC-SA 4.0"),
    "web_portraits": (
        "web portraits and StyleGAN2 faces of another collector",
        "its source's, research",
    ),
}
UNKNOWN = ("not described", "its source's")
METHODS = {
    "unmask": "Unmask's mask",
    "paper": "grey-scale threshold, the paper's",
    "activation": "class-activation map",
    "same_place": "the same region on every face",
}


def write(metrics_path: Path, manifest_path: Path, card_path: Path) -> None:
    """Write the card for an evaluation and the manifest it was made with."""
    card_path.parent.mkdir(parents=True, exist_ok=True)
    card_path.write_text(_rendered(metrics_path, manifest_path), encoding="utf-8")


def stale(metrics_path: Path, manifest_path: Path, card_path: Path) -> str:
    """What differs between the card and what the files say, as a unified diff; "" if nothing.

    A card that is not there differs in every line.
    """
    written = card_path.read_text(encoding="utf-8") if card_path.is_file() else ""
    expected = _rendered(metrics_path, manifest_path)
    return "".join(
        difflib.unified_diff(
            written.splitlines(keepends=True),
            expected.splitlines(keepends=True),
            str(card_path),
            "rendered anew",
        )
    )


def render(metrics: Table, manifest: Manifest, noise: Table | None = None) -> str:
    """The card as Markdown. Raises ValueError where the metrics are of another model.

    ``noise`` is what :func:`model_training.noise.compare_denoising` found.
    """
    models = {metrics["model"]["sha256"], noise["model"] if noise else manifest.sha256}
    if models != {manifest.sha256}:
        raise ValueError("the metrics were measured with another model than the manifest's")
    sections = (
        _head(metrics, manifest),
        _how(manifest),
        _cannot(manifest),
        _data(metrics),
        _training(metrics, manifest),
        _overall(metrics),
        _fakes(metrics),
        _reals(metrics),
        _calibration(metrics, manifest),
        _localisation(metrics),
        _noise(noise),
        _versions(manifest),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def _rendered(metrics_path: Path, manifest_path: Path) -> str:
    metrics = json.loads(metrics_path.read_text(encoding="utf-8"))
    noise_path = metrics_path.with_name(NOISE_FILE)
    noise = json.loads(noise_path.read_text(encoding="utf-8")) if noise_path.is_file() else None
    return render(metrics, load_manifest(manifest_path), noise)


def _head(metrics: Table, manifest: Manifest) -> str:
    overall, at = metrics["overall"], metrics["overall"]["at_bound"]
    count = overall["counts"]
    return f"""# Model card: {manifest.name} {manifest.version}

<!-- Written by `python -m model_training modelcard`; edit the template, not this file. -->

Tells whether a face in a photograph shows signs of manipulation or synthesis, and marks where.

On {count["real"]:,} real and {count["fake"]:,} fake pictures of the {metrics["split"]} split,
{_figure(at["recall"])} of the fakes and {_figure(at["false_alarms"])} of the real pictures are
called fake; the area under the ROC curve is {_figure(overall["auc"], _plain)}. Figures in brackets
are 95 % intervals, drawn again by group (person, clip or photograph) and not by picture.

## Intended use

A second opinion for people who check pictures: fact-checkers, editors, anybody who was sent a
portrait and doubts it. It is made to be read together with the source, the context and a reverse
image search.

It is not made to decide alone. Do not use it to accuse, to remove, to moderate without a person,
to identify anybody or as evidence in a proceeding. A missing finding means that *this* model saw
nothing; it never proves a picture to be untouched."""


def _how(manifest: Manifest) -> str:
    size = manifest.input_size
    return f"""## How it works

1. CenterFace finds faces and five landmarks.
2. Each face is cut out as a square ({manifest.frame}), {size} x {size} pixels.
3. Noise removal: {manifest.denoise}. Normalisation: {manifest.normalisation}.
4. A DenseNet121 gives one logit for the face. A light decoder over its dense blocks gives a
   heatmap: for each pixel the probability that it was tampered with.
5. The logit is calibrated and becomes a verdict: fake, unsure, or no sign found.
6. The heatmap at or above its bound is the mask. It is shown for faces called fake or
   unsure.

A picture's verdict is that of its most suspicious face."""


def _cannot(manifest: Manifest) -> str:
    return f"""## What it cannot see

- Generators and editors unlike those it was trained on. The sources marked "unseen" below show
  how far it carries over; the next generator may do worse.
- Anything outside faces: objects, texts, backgrounds, a true picture with a false caption.
- Traces that heavy compression, small size, screenshots or filters have wiped out.
- A picture made to deceive it: it was not hardened against adversarial changes.
- Faces whose frame has fewer than {manifest.min_face} pixels a side: these are always unsure.
- Faces that the face detector misses. Such a picture gets no verdict.
- Where a wholly synthetic face was "altered": there the mask marks what looks synthetic.

People are not spread evenly over the training pictures: celebrities, web portraits and official
portraits prevail. False alarms are reported for each source below because they differ."""


def _data(metrics: Table) -> str:
    rows = []
    for entry in metrics["data"]:
        what, terms = SOURCES.get(entry["source"], UNKNOWN)
        unseen = " **unseen**" if not entry["train"] + entry["val"] else ""
        numbers = [_count(entry[key]) for key in ("train", "val", "test", "groups", "masks")]
        rows.append([f"{entry['source']}{unseen}", entry["label"], what, terms, *numbers])
    head = ["source", "label", "what it is", "terms"]
    table = _table([*head, "train", "val", "test", "groups", "with mask"], rows)
    return f"""## Data

{table}

No picture is part of this project; the weights and figures are. Most sources allow research that
is not commercial: see to their terms before you use the weights otherwise. A group (person, clip,
photograph) never stands in two splits."""


def _training(metrics: Table, manifest: Manifest) -> str:
    lines = [f"- {name}: {value}" for name, value in _flat(manifest.training)]
    history = metrics["history"]
    if history:
        last = history["last"]
        columns = ("loss", "val_loss", "accuracy", "val_accuracy")
        figures = ", ".join(f"{name} {_plain(last[name])}" for name in columns if name in last)
        lines.append(f"- {history['epochs']} epochs; after the last: {figures}")
    return "\n".join(["## Training", "", *(lines or ["Not recorded."])])


def _overall(metrics: Table) -> str:
    overall, worst = metrics["overall"], metrics["most_suspicious"]
    count = overall["counts"]
    names = ("accuracy", "precision", "recall", "f1", "false_alarms")
    rows = [
        [
            name.replace("_", " ").replace("f1", "F1"),
            _figure(overall["at_bound"][name]),
            _figure(overall["at_half"][name]),
        ]
        for name in names
    ]
    keys = ("true_positive", "false_positive", "true_negative", "false_negative")
    for key in keys:
        pair = (overall[at]["confusion"][key] for at in ("at_bound", "at_half"))
        rows.append([key.replace("_", " ") + "s", *map(_count, pair)])
    shares = [
        [f"{word}, {_count(row['count'])}", *(_percent(row[v]) for v in VERDICTS)]
        for word, row in overall["verdicts"].items()
    ]
    return f"""## Results on the {metrics["split"]} split

{count["real"]:,} real and {count["fake"]:,} fake pictures in {count["groups"]:,} groups. No face
was found in {count["no_face_real"]} real and {count["no_face_fake"]} fake ones; these count as
not called fake. "Called fake" is the verdict "fake"; "at one half" ignores the band of doubt.

{_table(["", "verdict fake", "at one half"], rows)}

Area under the ROC curve: {_figure(overall["auc"], _plain)}. Fakes found when 1 % of the real
pictures may be called fake, bound fixed on this split: {_figure(overall["recall_at_1_percent"])}.

{_table(["truth, pictures", *VERDICTS.values()], shares)}

The figures are for a picture's largest face. {worst["pictures_with_several_faces"]} pictures hold
several; taking the most suspicious one, as the product does, changes
{worst["verdicts_changed"]} verdicts: recall {_percent(worst["recall"])}, false alarms
{_percent(worst["false_alarms"])}."""


#: The verdicts as tables head them.
VERDICTS = {"real": "no sign found", "unsure": "unsure", "fake": "fake", "no_face": "no face"}


def _fakes(metrics: Table) -> str:
    unseen = {e["source"] for e in metrics["data"] if not e["train"] + e["val"]}
    rows = []
    for name, row in metrics["fakes_by_source"].items():
        ranks = metrics["fake_sources"][name]
        own = ranks.get("against_within")
        rows.append(
            [
                name + (" **unseen**" if name in unseen else ""),
                _count(row["count"]),
                _count(row["groups"]),
                _figure(row["called_fake"]),
                _percent(row["real"]),
                _figure(ranks["against_all"]["auc"], _plain) if "against_all" in ranks else "",
                f"{_figure(own['auc'], _plain)}, {_count(own['real'])} reals" if own else "",
            ]
        )
    head = ["source", "fakes", "groups", "called fake", "no sign found"]
    kinds = [
        [name, _count(row["count"]), _count(row["groups"]), _figure(row["called_fake"])]
        for name, row in metrics["fakes_by_kind"].items()
    ]
    return f"""### Fakes by source

The second area under the curve, against real pictures of the same source alike in framing and
quality, is the one that shortcuts help least.

{_table([*head, "AUC, all reals", "AUC, own reals"], rows)}

### Fakes by kind

{_table(["kind", "fakes", "groups", "called fake"], kinds)}"""


def _reals(metrics: Table) -> str:
    rows = [
        [name, _count(row["count"]), _figure(row["called_fake"])]
        + [_percent(row[key]) for key in ("unsure", "real", "no_face")]
        for name, row in metrics["reals_by_source"].items()
    ]
    head = ["source", "reals", "called fake", "unsure", "no sign found", "no face"]
    return f"### False alarms by source\n\n{_table(head, rows)}"


def _calibration(metrics: Table, manifest: Manifest) -> str:
    found, bounds, scaling = metrics["calibration"], manifest.thresholds, manifest.calibration
    rows = [
        [name, _plain(found[key]["ece_equal_width"]), _plain(found[key]["ece_equal_mass"])]
        for key, name in (("balanced", "classes made equal"), ("as_is", "as in the split"))
    ]
    return f"""## Calibration and bounds

Fixed on the validation split, never on the one reported. Probability =
sigmoid({_plain(scaling.scale)} x logit {scaling.offset:+.3f}), Platt scaling with both classes
and, within each, all sources counting alike: it answers for a face of which nothing else is known.

| bound | value | meaning |
|---|---|---|
| fake | {_plain(bounds.fake)} | at or above: "fake" |
| real | {_plain(bounds.real)} | below: "no sign of manipulation was found" |
| mask | {_plain(bounds.mask)} | pixels of the heatmap at or above are marked |
{_validation(manifest)}
Expected calibration error over {found["bins"]} bins, {found["count"]:,} pictures with a face; Brier
score {_plain(found["brier"])}.

{_table(["", "bins of equal width", "bins of equal number"], rows)}"""


def _validation(manifest: Manifest) -> str:
    record = manifest.metrics.get("validation")
    if not record:
        return ""
    aims, bound = record["aims"], record["fake_bound"]
    count, mask = record["pictures"], record["mask"]
    promise = "" if bound["guaranteed"] else " (there were too few of them for this promise)"
    said = f"""
On {count["real"]:,} real and {count["fake"]:,} fake validation pictures: the fake bound lies just
above the real picture of rank {bound["rank"]:,}, so that of further pictures like them no more than
{_percent(aims["false_alarms"])} are expected to be called fake (split conformal
prediction){promise}, and no more than {_percent(aims["source_false_alarms"])} of any larger source
there are. Under the real bound lie at most {_percent(aims["missed"])} of the fakes."""
    if mask:
        said += f"""
The mask bound marks the {mask["pictures"]:,} pictures with true masks best (mean IoU
{_plain(mask["iou"])}) among bounds at which at most {_percent(aims["false_area"])} of a real face's
frame is shown as marked, on average over {mask["reals"]:,} (there: {_percent(mask["false_area"])};
it would be {_percent(mask["false_area_all"])} if faces of which "no sign was found" is said were
shown a mask too)."""
    return said + "\n"


def _localisation(metrics: Table) -> str:
    found = metrics["localisation"]
    if not found:
        return "## Where it was altered\n\nNot measured: the split has no true masks."
    keys = ("iou", "pixel_f1", "pixel_precision", "pixel_recall", "false_area", "false_area_shown")
    rows = []
    for name, row in found["methods"].items():
        label = METHODS.get(name, name)
        variant = "" if name == "unmask" else f" ({row['variant']})"
        figures = [_figure(row[key], _plain if "area" not in key else None) for key in keys]
        rows.append([label + variant, *figures])
    head = ["method", "IoU", "pixel F1", "pixel precision", "pixel recall"]
    return f"""## Where it was altered

{found["pictures"]} fakes with true masks in {found["groups"]} groups, all methods on the same
pictures and in their size; no face was found in {found["no_face"]}. Variants and thresholds of the
rivals were chosen on validation. Falsely marked is the share of a real face's frame: for all real
faces, and as people see it, with no mask where no sign was found.

{_table([*head, "falsely marked, all", "falsely marked, shown"], rows)}

As people see it, Unmask's mean IoU is
{_figure(found["methods"]["unmask"]["iou_shown"], _plain)}. A method that does not beat "the same
region on every face" locates nothing."""


def _noise(noise: Table | None) -> str:
    """The paper's noise removal, with and without."""
    if noise is None:
        return ""
    count = noise["pictures"]
    sources = list(next(iter(noise["methods"].values()))["auc_within"])
    rows = [
        [name, _plain(row["auc"]), _percent(row["recall_at_1_percent"])]
        + [_plain(row["auc_within"][source]) for source in sources]
        for name, row in noise["methods"].items()
    ]
    head = ["noise removal", "AUC", "fakes found at 1 % false alarms"]
    return f"""## Noise removal

The paper removes noise before it classifies. On the {noise["split"]} split ({count["real"]:,} real
and {count["fake"]:,} fake pictures), put before this network, which was trained without it:

{_table([*head, *(f"AUC within {source}" for source in sources)], rows)}"""


def _versions(manifest: Manifest) -> str:
    lines = [f"- {name}: {value}" for name, value in _flat(manifest.export)]
    head = f"## Versions and export\n\n- file: {manifest.file}, sha256 `{manifest.sha256}`"
    return "\n".join([head, *lines])
