"""What a judge makes of a family of fakes, and of photographs, that its fitting never saw.

The tower that is shipped was tuned on every family, so leaving one out of the heads alone would
flatter it. Here CLIP's tower stays as it was published: its tokens are written down once, and heads
are fitted on them again without one family, or one source of photographs, at a time. What comes out
is the cost of not having seen a family, measured on a judge of the same build; the shipped one
knows all of them.

Ojha et al., "Towards Universal Fake Image Detectors that Generalize Across Generative Models"
(2023) fit a linear head on frozen CLIP; Koutlis and Papadopoulos (2024) read several depths.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from model_training.dataset.data import Folders, capped, of_split, read_dataset
from model_training.dataset.families import FAMILIES, HEADS
from model_training.evaluation.bounds import Aims, fake_bound
from model_training.evaluation.features import Written, write_features
from model_training.evaluation.metrics import jsonable, roc_auc, write_json
from model_training.evaluation.tables import Table
from unmask.detector.align import Floats

LEFT_OUT_FILE = "left-out.json"
#: What is left out in turn: a name, and the kinds of fakes that it stands for.
LEFT_OUT = {
    "StyleGAN": ("stylegan", "stylegan2", "stylegan3", "attribute-edit", "mobilestylegan"),
    "diffusion": ("diffusion",),
    "SDXL": ("sdxl",),
    "FLUX": ("flux-schnell", "flux-dev", "flux-pro", "flux-lovable", "flux-other"),
    "GPT": ("gpt-image", "dalle3"),
    "Gemini": ("gemini", "imagen"),
    "swaps": ("face-swap", "reenactment", "lip-sync"),
}
#: Most pictures of each source and class to fit on, and to measure on: more take hours.
TRAINED_ON, MEASURED_ON = 150, 60
#: Inverse of the strength of the heads' regularisation, and the most steps of their fitting: it is
#: ended there, converged or not, which holds the heads back a little more.
STRENGTH, MAX_STEPS = 3e-3, 100
#: Sources of photographs with fewer pictures to measure on say too little.
MIN_REALS = 50
ABOUT = (
    "Linear heads on CLIP's tower as it was published, fitted without what is measured; "
    "the tower that is shipped was tuned on all of it."
)


def measure(
    data_dir: Folders, manifest_path: Path, out_dir: Path, *, cache: Path, threads: int = 0
) -> Table:
    """Write left-out.json; return it.

    Heads are fitted on training pictures and bounds fixed on validation ones. A family that both
    lack is told from all real pictures on test; of a real source that both lack, validation and
    test pictures are measured. ``cache`` is a folder for landmarks and features. Raises ValueError
    where the model has no CLIP.
    """
    rows = read_dataset(data_dir)
    chosen = {
        "train": capped(of_split(rows, "train"), TRAINED_ON),
        "val": capped(of_split(rows, "val"), MEASURED_ON),
        "test": capped(of_split(rows, "test"), MEASURED_ON),
    }
    parts = {
        split: write_features(part, manifest_path, cache, threads) for split, part in chosen.items()
    }
    train, val, test = parts["train"], parts["val"], parts["test"]
    everything = fit(train)
    families: Table = {}
    for name, kinds in LEFT_OUT.items():
        own = np.isin(test.kinds, kinds)
        if not own.any() or not np.isin(train.kinds, kinds).any():
            continue
        kept = fit(train.where(~np.isin(train.kinds, kinds)))
        against = own | ~test.labels
        families[name] = {
            "fakes": int(own.sum()),
            "reals": int((~test.labels).sum()),
            "auc": roc_auc(own[against], score(kept, test.features[against])),
            "auc_seen": roc_auc(own[against], score(everything, test.features[against])),
        }
    sources: Table = {}
    both = Written([*val.rows, *test.rows], np.concatenate([val.features, test.features]))
    for name in np.unique(both.sources[~both.labels]):
        own = (both.sources == name) & ~both.labels
        if own.sum() < MIN_REALS:
            continue
        kept = fit(train.where((train.sources != name) | train.labels))
        others = (val.sources != name) & ~val.labels
        bound = fake_bound(
            chance(kept, val.features[others]), val.sources[others], Aims()
        ).threshold
        called = chance(kept, both.features[own]) >= bound
        sources[str(name)] = {"count": int(own.sum()), "called_fake": float(called.mean())}
    table: Table = jsonable(
        {"version": 1, "about": ABOUT, "families": families, "real_sources": sources}
    )
    write_json(out_dir / LEFT_OUT_FILE, table)
    return table


#: A scaler and, by the index of its head, a fitted line.
Heads = tuple[StandardScaler, dict[int, LogisticRegression]]


def fit(train: Written) -> Heads:
    """A line for each head whose fakes are there, all photographs against its own fakes, both
    classes and all sources of a class weighing alike."""
    scaler = StandardScaler().fit(train.features)
    features = scaler.transform(train.features)
    own = np.array([FAMILIES.get(row.kind, "") if row.label else "real" for row in train.rows])
    heads = {}
    for index, name in enumerate(HEADS):
        fakes = train.labels if index == 0 else own == name
        if not fakes.any():
            continue
        part = fakes | ~train.labels
        sources = train.sources[part]
        weights = np.zeros(int(part.sum()))
        for label in (False, True):
            mine = fakes[part] == label
            for source in np.unique(sources[mine]):
                same = mine & (sources == source)
                weights[same] = 1 / np.sqrt(same.sum())
            weights[mine] /= weights[mine].sum()
        line = LogisticRegression(C=STRENGTH, max_iter=MAX_STEPS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            heads[index] = line.fit(features[part], fakes[part], weights * part.sum())
    return scaler, heads


def score(heads: Heads, features: Floats) -> Floats:
    """The logit (n,) of the most suspicious family."""
    scaler, lines = heads
    scaled = scaler.transform(features)
    columns = [line.decision_function(scaled) for index, line in lines.items() if index]
    return np.asarray(np.max(columns, axis=0), np.float32)


def chance(heads: Heads, features: Floats) -> Floats:
    """The same as a probability."""
    return np.asarray(1 / (1 + np.exp(-score(heads, features).astype(np.float64))), np.float32)
