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

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from model_training.dataset.data import Folders, Row, capped, of_split, read_dataset
from model_training.dataset.families import FAMILIES, HEADS
from model_training.dataset.landmarks import Landmarks, landmarks_of, read_pixels
from model_training.evaluation.bounds import Aims, fake_bound
from model_training.evaluation.metrics import Flags, jsonable, roc_auc, write_json
from model_training.evaluation.predict import fingerprint
from model_training.evaluation.tables import Strings, Table
from unmask.detector.align import Floats, align_face, frame_quad
from unmask.detector.clip import TOKENS
from unmask.detector.manifest import load_manifest
from unmask.detector.preprocess import prepare
from unmask.detector.session import open_session

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


@dataclass(frozen=True)
class Written:
    """Features (n, k) of pictures with what is true of them."""

    rows: list[Row]
    features: Floats

    @property
    def labels(self) -> Flags:
        """Which are fake."""
        return np.array([row.label == 1 for row in self.rows])

    @property
    def kinds(self) -> Strings:
        """The kind of each fake, and "camera"."""
        return np.array([row.kind if row.label else "camera" for row in self.rows])

    @property
    def sources(self) -> Strings:
        """Where each picture is from."""
        return np.array([row.source for row in self.rows])

    def where(self, kept: Flags) -> Written:
        """Some of the pictures."""
        return Written(
            [row for row, k in zip(self.rows, kept, strict=True) if k], self.features[kept]
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


def write_features(
    rows: Sequence[Row], manifest_path: Path, cache: Path, threads: int = 0
) -> Written:
    """The published tower's class tokens and mean patch tokens of all depths, (n, 6144), of the
    pictures in which a face is found; kept in ``cache``."""
    manifest = load_manifest(manifest_path)
    if manifest.clip is None:
        raise ValueError(f"{manifest_path} has no CLIP")
    tower = manifest.clip.tower
    key = hashlib.sha256(f"{tower.sha256}\n{fingerprint(rows)}".encode()).hexdigest()[:24]
    known = landmarks_of(rows, cache / f"landmarks-{key}.csv")
    usable = [row for row in rows if known[row.name] is not None]
    path = cache / f"features-{key}.npy"
    if path.is_file():
        return Written(usable, np.load(path).astype(np.float32))
    session = open_session(manifest_path.parent / tower.file, tower.sha256, threads)
    features = [_tokens(session, row, known) for row in track(usable, description="Reading tokens")]
    found = np.stack(features) if features else np.zeros((0, 1), np.float32)
    np.save(path, found.astype(np.float16))
    return Written(usable, found.astype(np.float16).astype(np.float32))


def _tokens(session: object, row: Row, known: Landmarks) -> Floats:
    landmarks = known[row.name]
    if landmarks is None:
        raise ValueError(f"no face was found in {row.name}")
    pixels = np.ascontiguousarray(read_pixels(row.path)[:, :, ::-1])
    image = prepare([align_face(pixels, frame_quad(landmarks))])
    depths = session.run(list(TOKENS), {"image": image})  # type: ignore[attr-defined]
    parts = [part for tokens in depths for part in (tokens[0, 0], tokens[0, 1:].mean(axis=0))]
    return np.concatenate(parts).astype(np.float32)
