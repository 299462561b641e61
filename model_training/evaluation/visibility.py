"""Fits the head that sees what covers a face, and fixes how much may be covered.

The head is fitted on the training split, the bound fixed on validation and what both reach is
told of the test split. Covers are drawn over real and fake faces alike (``cover_faces``).
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from model_training.dataset.data import Folders, Row, capped, read_dataset, split_of
from model_training.evaluation.cover_faces import CLEAN, KINDS, SEED, CoverFaces, cover_faces
from model_training.evaluation.metrics import Doubles, jsonable, write_json
from model_training.evaluation.tables import Table
from model_training.export.manifests import write_manifest
from unmask.detector.align import Floats
from unmask.detector.clip import ClipJudge
from unmask.detector.cover import CoverHead, covered_shares
from unmask.detector.manifest import Manifest, ModelFile, Visibility, load_manifest
from unmask.errors import UnmaskError

VISIBILITY_FILE, HEAD_FILE = "visibility.json", "clip-cover.npz"
#: Share of the clean photographs that may count as occluded.
MISTAKEN = 0.01
#: Share of the face from which a cover is to be seen: less hides little.
COVERED = 0.1
#: Patches of one face that the head is fitted on, covered and clear ones: neighbours say the same.
PATCHES = 25
#: Of the pictures that the head is fitted on, one in so many is shown clean too; of those that it
#: is measured on, one in so many is covered.
CLEAN_EVERY, COVERED_EVERY = 3, 4
#: A patch with more of a cover than the second is covered, with less than the first it is clear.
CLEAR, FULL = 0.05, 0.5
#: The strength of the penalty, and most steps.
PENALTY, STEPS = 0.003, 80
#: Eyes that lie closer than this, in distances from eyes to mouth, are those of a face in profile:
#: fixed on validation with 1.0.0, where one of 23 such photographs was called fake.
PROFILE = 0.45


def fit_visibility(
    data_dir: Folders,
    manifest_path: Path,
    out_dir: Path,
    *,
    cache: Path,
    most: int = 9,
) -> Manifest:
    """Write the head beside the manifest, and it and the bounds into it; visibility.json tells what
    they reach. ``most`` bounds the pictures of each source and class that are fitted on; twice as
    many are measured.

    Raises ValueError for an empty split, ``model_mismatch`` for a model without CLIP.
    """
    manifest = load_manifest(manifest_path)
    if manifest.clip is None:
        raise UnmaskError("model_mismatch", "Covers are seen by CLIP, which this model lacks.")
    judge = ClipJudge(manifest_path.parent, manifest.clip.model_copy(update={"cover": None}), 1)
    rows = read_dataset(data_dir)
    identity = manifest.clip.tower.sha256 + manifest.clip.tuned.sha256

    def faces(split: str) -> Iterable[CoverFaces]:
        is_fitted = split == "train"
        chosen = capped(split_of(rows, split), most if is_fitted else 2 * most)
        jobs = _fit_jobs(chosen) if is_fitted else _measure_jobs(chosen)
        return cover_faces(chosen, jobs, judge, identity, cache)

    patches, covered, kinds = _patches(faces("train"))
    head = _fitted(patches, covered)
    data = _packed(head)
    validation = _scores(faces("val"), CoverHead(data))
    bound = _bound(validation)
    path = manifest_path.parent / HEAD_FILE
    path.write_bytes(data)
    file = ModelFile(
        file=HEAD_FILE,
        sha256=hashlib.sha256(data).hexdigest(),
        licence=manifest.licence,
        origin=manifest.origin,
    )
    record: Table = {
        "version": 1,
        "model": {"version": manifest.version, "sha256": manifest.sha256},
        "seed": SEED,
        "most": most,
        "patches": len(patches),
        "bound": bound,
        "least_cover": COVERED,
        "mistaken_aim": MISTAKEN,
        "profile": PROFILE,
        "validation": _table(validation, bound),
        "test": _table(_scores(faces("test"), CoverHead(data)), bound),
        "kind_left_out": _left_out(patches, covered, kinds, faces("val")),
    }
    write_json(out_dir / VISIBILITY_FILE, jsonable(record))
    changed = manifest.model_copy(
        update={
            "clip": manifest.clip.model_copy(update={"cover": file}),
            "visibility": Visibility(covered=bound, eyes_apart=PROFILE),
            "metrics": {
                **manifest.metrics,
                "visibility": jsonable({"validation": record["validation"]["all"]}),
            },
        }
    )
    write_manifest(changed, manifest_path)
    return changed


def set_profile(manifest_path: Path) -> None:
    """Write the bound for faces in profile into the manifest of a model that sees no covers."""
    manifest = load_manifest(manifest_path)
    changed = manifest.model_copy(update={"visibility": Visibility(eyes_apart=PROFILE)})
    write_manifest(changed, manifest_path)


def _fit_jobs(rows: Sequence[Row]) -> list[tuple[int, str]]:
    """Each picture with one cover, the kinds in turn, and some of them clean too."""
    names = list(KINDS)
    jobs = [(index, names[index % len(names)]) for index in range(len(rows))]
    return jobs + [(index, CLEAN) for index in range(0, len(rows), CLEAN_EVERY)]


def _measure_jobs(rows: Sequence[Row]) -> list[tuple[int, str]]:
    """Each photograph clean, for that is what the bound hangs on, and some pictures covered."""
    names = list(KINDS)
    jobs = [(index, CLEAN) for index, row in enumerate(rows) if row.label == 0]
    covered = range(0, len(rows), COVERED_EVERY)
    return jobs + [(index, names[number % len(names)]) for number, index in enumerate(covered)]


def _patches(chunks: Iterable[CoverFaces]) -> tuple[Floats, Doubles, npt.NDArray[np.str_]]:
    """Patches of every face: their tokens (n, width), whether covered (n,), the kind (n,)."""
    rng = np.random.default_rng(SEED)
    tokens, covered, kinds = [], [], []
    for chunk in chunks:
        for face in range(len(chunk.rows)):
            shares = chunk.covers[face].ravel()
            for places, label in ((shares > FULL, 1.0), (shares < CLEAR, 0.0)):
                chosen = rng.permutation(np.flatnonzero(places))[:PATCHES]
                tokens.append(chunk.tokens[face, 1 + chosen].astype(np.float32))
                covered.append(np.full(len(chosen), label))
                kinds.append(np.full(len(chosen), chunk.kinds[face]))
    return np.concatenate(tokens), np.concatenate(covered), np.concatenate(kinds)


def _fitted(patches: Floats, covered: Doubles) -> tuple[Floats, float]:
    """Weight and bias of the logit, fitted on standardised tokens."""
    mean, spread = patches.mean(axis=0), patches.std(axis=0) + 1e-3
    model = LogisticRegression(C=PENALTY, max_iter=STEPS)
    model.fit((patches - mean) / spread, covered)
    weight = (model.coef_[0] / spread).astype(np.float32)
    return weight, float(model.intercept_[0] - mean @ weight)


def _packed(head: tuple[Floats, float]) -> bytes:
    file = io.BytesIO()
    np.savez(file, weight=head[0], bias=np.float32(head[1]))
    return file.getvalue()


@dataclass(frozen=True)
class Scores:
    """Of n faces: the covered share as the head sees it and as it is, and the kind of cover."""

    estimates: Doubles
    truths: Doubles
    kinds: npt.NDArray[np.str_]

    def where(self, chosen: npt.NDArray[np.bool_]) -> Scores:
        """The same for some of the faces."""
        return Scores(self.estimates[chosen], self.truths[chosen], self.kinds[chosen])


def _scores(chunks: Iterable[CoverFaces], head: CoverHead) -> Scores:
    parts = []
    for chunk in chunks:
        shares = head.shares(chunk.tokens.astype(np.float32))
        parts.append((shares, covered_shares(chunk.covers), chunk.kinds))
    estimates, truths, kinds = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Scores(estimates.astype(np.float64), truths.astype(np.float64), kinds)


def _bound(scores: Scores) -> float:
    """The covered share from which on a face counts as occluded: above all but a few of the clean
    photographs."""
    clean = scores.estimates[scores.kinds == CLEAN]
    return float(np.quantile(clean, 1 - MISTAKEN, method="higher")) + 1e-6


def _table(scores: Scores, bound: float) -> dict[str, Table]:
    """For each kind of cover, and for clean faces by class: how many count as occluded."""
    hidden = scores.truths >= COVERED
    parts = {
        "all": hidden,
        **{kind: hidden & (scores.kinds == kind) for kind in KINDS},
        "clean photographs": scores.kinds == CLEAN,
    }
    return {name: _counted(scores.where(chosen), bound) for name, chosen in parts.items()}


def _counted(scores: Scores, bound: float) -> Table:
    occluded = scores.estimates >= bound
    return {
        "count": len(occluded),
        "occluded": int(occluded.sum()),
        "share": float(occluded.mean()) if len(occluded) else None,
        "mean_cover": float(scores.truths.mean()) if len(occluded) else None,
        "mean_estimate": float(scores.estimates.mean()) if len(occluded) else None,
    }


def _left_out(
    patches: Floats,
    covered: Doubles,
    kinds: npt.NDArray[np.str_],
    chunks: Iterable[CoverFaces],
) -> dict[str, Table]:
    """Each kind of cover, seen by a head that was fitted without it, at a bound of its own: what
    covers that nobody drew here may be seen like."""
    kept = list(chunks)
    table = {}
    for kind in KINDS:
        others = kinds != kind
        head = CoverHead(_packed(_fitted(patches[others], covered[others])))
        scores = _scores(kept, head)
        bound = _bound(scores)
        own = (scores.kinds == kind) & (scores.truths >= COVERED)
        table[kind] = {"bound": bound, **_counted(scores.where(own), bound)}
    return table
