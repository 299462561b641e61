"""From predictions to tables: what was said of each kind of picture, with counts and intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from model_training.dataset.data import Row
from model_training.evaluation import metrics
from model_training.evaluation.metrics import Confusion, Doubles, Flags, Indices
from model_training.evaluation.predict import Predictions
from unmask.detector.align import quad_side
from unmask.detector.joining import are_disputed, calibrated, own_probabilities
from unmask.detector.manifest import Manifest
from unmask.detector.verdict import FaceScore, picture_bounds, rule
from unmask.report import Verdict

Table = dict[str, Any]
Strings = npt.NDArray[np.str_]
#: Figures (k,) for the pictures drawn, as :func:`~model_training.evaluation.metrics.bootstrap`
#: repeats them.
Statistic = Callable[[Indices], npt.ArrayLike]
VERDICTS = (Verdict.FAKE, Verdict.UNSURE, Verdict.REAL, Verdict.NO_FACE)


@dataclass(frozen=True)
class Judged:
    """What was said of n pictures and what is true of them, one entry a picture.

    ``chance`` is the calibrated probability of the judged face, 0 where no face was found: such a
    picture was not called fake, and a fake among them was missed. ``verdict`` takes the values of
    :class:`unmask.report.Verdict`.
    """

    label: npt.NDArray[np.int64]
    source: Strings
    kind: Strings
    group: Strings
    found: Flags
    chance: Doubles
    verdict: Strings

    @property
    def called(self) -> Flags:
        """Which pictures were called fake."""
        return np.asarray(self.verdict == Verdict.FAKE)

    def where(self, chosen: Flags | Indices) -> Judged:
        """The same for some of the pictures."""
        return Judged(
            self.label[chosen],
            self.source[chosen],
            self.kind[chosen],
            self.group[chosen],
            self.found[chosen],
            self.chance[chosen],
            self.verdict[chosen],
        )

    def joined(self, other: Judged) -> Judged:
        """These pictures and then the others."""
        pairs = ((getattr(judged, part.name) for judged in (self, other)) for part in fields(self))
        return Judged(*map(np.concatenate, map(tuple, pairs)))

    def __len__(self) -> int:
        return len(self.label)


def judge(
    rows: Sequence[Row], found: Predictions, faces: npt.NDArray[np.intp], manifest: Manifest
) -> Judged:
    """Apply the manifest's calibration and bounds to one face of each picture.

    ``faces`` (n,) holds face indices, -1 where no face was found: ``found.largest`` or
    ``found.suspicious``.
    """
    seen = faces >= 0
    scores = face_scores(found, manifest)
    groups: list[list[FaceScore]] = [[] for _ in rows]
    for owner, score in zip(found.owner, scores, strict=True):
        groups[owner].append(score)
    verdicts = [str(Verdict.NO_FACE)] * len(rows)
    for index in np.flatnonzero(seen):
        bounds = picture_bounds(groups[index], manifest)
        verdicts[index] = str(rule(scores[faces[index]], bounds, manifest).verdict)
    return Judged(
        np.array([row.label for row in rows], np.int64),
        np.array([row.source for row in rows], str),
        np.array([row.kind for row in rows], str),
        np.array([row.group for row in rows], str),
        seen,
        np.array([scores[face].probability if face >= 0 else 0.0 for face in faces]),
        np.array(verdicts, str),
    )


def face_scores(found: Predictions, manifest: Manifest) -> list[FaceScore]:
    """What the verdict on each of the faces (m,) hangs on, as the manifest has it."""
    probabilities = calibrated(found.raw, manifest.calibration)
    own = own_probabilities(found.families, manifest)
    disputed = are_disputed(own, len(found.raw), manifest)
    return [
        FaceScore(
            probability=float(probabilities[face]),
            frame_side=quad_side(found.quads[face]),
            is_disputed=bool(disputed[face]),
            covered=float(found.covered[face]),
            eyes_apart=float(found.eyes_apart[face]),
        )
        for face in range(len(found.raw))
    ]


def counts(judged: Judged) -> Table:
    """How many pictures there are, and in how many no face was found."""
    real = judged.label == 0
    return {
        "real": int(real.sum()),
        "fake": int((~real).sum()),
        "groups": len(np.unique(judged.group)),
        "no_face_real": int((real & ~judged.found).sum()),
        "no_face_fake": int((~real & ~judged.found).sum()),
    }


def sources_of(rows: Sequence[Row]) -> list[str]:
    """The sources that pictures are from, in the order of the alphabet."""
    return sorted({row.source for row in rows})


def overall(judged: Judged, repeats: int) -> Table:
    """The headline figures: at the bound for "fake", at one half, and over all bounds."""
    bound = metrics.confusion(judged.label, judged.called)
    half = metrics.confusion(judged.label, judged.chance >= 0.5)
    ranks = {
        "auc": metrics.roc_auc(judged.label, judged.chance),
        "recall_at_1_percent": metrics.recall_at(judged.label, judged.chance),
    }

    def again(drawn: Indices) -> list[float]:
        part = judged.where(drawn)
        return [
            *_rates(metrics.confusion(part.label, part.called)).values(),
            *_rates(metrics.confusion(part.label, part.chance >= 0.5)).values(),
            metrics.roc_auc(part.label, part.chance),
            metrics.recall_at(part.label, part.chance),
        ]

    spans = list(metrics.bootstrap(again, judged.group, repeats))
    return {
        "counts": counts(judged),
        "at_bound": _with_counts(bound, judged, judged.called, spans[:5]),
        "at_half": _with_counts(half, judged, judged.chance >= 0.5, spans[5:10]),
        **{
            name: figure(value, span)
            for (name, value), span in zip(ranks.items(), spans[10:], strict=True)
        },
        "verdicts": {
            "real": verdict_shares(judged.where(judged.label == 0)),
            "fake": verdict_shares(judged.where(judged.label == 1)),
        },
    }


def verdict_shares(judged: Judged) -> Table:
    """The number of pictures and the share of each verdict."""
    shares = {
        str(v): float((judged.verdict == v).mean()) if len(judged) else None for v in VERDICTS
    }
    return {"count": len(judged), **shares}


def by_part(judged: Judged, parts: Strings, label: int, repeats: int) -> Table:
    """For each source or kind with pictures of one class: verdicts, and the share called fake.

    For reals (``label`` 0) that share is the false alarms, for fakes the recall.
    """
    table: Table = {}
    for name in np.unique(parts[judged.label == label]):
        part = judged.where((judged.label == label) & (parts == name))
        table[str(name)] = {
            **verdict_shares(part),
            "groups": len(np.unique(part.group)),
            "called_fake": share_called(part, repeats),
        }
    return table


def fake_sources(judged: Judged, repeats: int) -> Table:
    """How well each source of fakes is told from all reals, and from its own source's reals."""
    table: Table = {}
    fake = judged.label == 1
    for name in np.unique(judged.source[fake]):
        own = fake & (judged.source == name)
        rivals = {"all": ~fake, "within": ~fake & (judged.source == name)}
        table[str(name)] = {
            "fake": int(own.sum()),
            **{
                f"against_{key}": separation(judged.where(own | reals), repeats)
                for key, reals in rivals.items()
                if reals.any()
            },
            **_by_clip(judged.where(judged.source == name)),
        }
    return table


def _by_clip(judged: Judged) -> Table:
    """The area under the curve within a source whose groups hold several pictures, each kind of
    picture of a group, as the frames of a clip, being judged as one by the mean probability."""
    clips: dict[tuple[str, str, int], list[float]] = {}
    each = (judged.group, judged.kind, judged.label, judged.chance)
    for group, kind, label, chance in zip(*each, strict=True):
        clips.setdefault((str(group), str(kind), int(label)), []).append(float(chance))
    labels = [label for _, _, label in clips]
    if len(clips) > len(judged) / 2 or len(set(labels)) < 2:
        return {}
    value = metrics.roc_auc(labels, [np.mean(chances) for chances in clips.values()])
    return {"by_clip": {"real": labels.count(0), "fake": labels.count(1), "auc": value}}


def calibration(judged: Judged) -> Table:
    """How far the probabilities can be taken at their word; over pictures with a face only.

    A probability holds for a certain share of fakes. ``as_is`` has the split's own; ``balanced``
    weighs both classes alike, which is what the calibration was fitted for.
    """
    seen = judged.where(judged.found)
    label, chance = seen.label, seen.chance
    table: Table = {
        "count": len(seen),
        "bins": metrics.BINS,
        "brier": metrics.brier(label, chance),
    }
    for name, weights in (("as_is", None), ("balanced", metrics.class_weights(label))):
        wide = metrics.reliability(label, chance, weights=weights)
        even = metrics.reliability(label, chance, equal_mass=True, weights=weights)
        table[name] = {
            "ece_equal_width": metrics.calibration_error(wide),
            "ece_equal_mass": metrics.calibration_error(even),
            "reliability": [asdict(part) for part in wide],
        }
    return table


def separation(judged: Judged, repeats: int) -> Table:
    """The number of reals and the area under the curve with its interval."""

    def again(drawn: Indices) -> list[float]:
        part = judged.where(drawn)
        return [metrics.roc_auc(part.label, part.chance)]

    span = metrics.bootstrap(again, judged.group, repeats)[0]
    value = metrics.roc_auc(judged.label, judged.chance)
    return {"real": int((judged.label == 0).sum()), "auc": figure(value, span)}


def share_called(judged: Judged, repeats: int) -> Table:
    """The share of the pictures that are called fake, with its interval."""
    return share(judged.called, judged.group, repeats)


def share(chosen: Flags, groups: Strings, repeats: int) -> Table:
    """The share of the pictures (n,) that are ``chosen``, with its interval."""
    value = float(chosen.mean()) if len(chosen) else metrics.NAN
    span = metrics.bootstrap(lambda drawn: float(chosen[drawn].mean()), groups, repeats)[0]
    return figure(value, wide_enough(value, span, groups))


def _rates(found: Confusion) -> dict[str, float]:
    return {
        "accuracy": found.accuracy,
        "precision": found.precision,
        "recall": found.recall,
        "f1": found.f1,
        "false_alarms": found.false_positive_rate,
    }


def _with_counts(
    found: Confusion, judged: Judged, called: Flags, spans: Sequence[Doubles]
) -> Table:
    """The counts, and each rate with its interval."""
    everything = np.ones(len(judged), bool)
    asked = {
        "accuracy": everything,
        "precision": called,
        "recall": judged.label == 1,
        "false_alarms": judged.label == 0,
    }
    table: Table = {"confusion": asdict(found)}
    for (name, value), span in zip(_rates(found).items(), spans, strict=True):
        if name in asked:
            span = wide_enough(value, span, judged.group[asked[name]])  # noqa: PLW2901
        table[name] = figure(value, span)
    return table


def wide_enough(value: float, span: Doubles, groups: Strings) -> Doubles:
    """The interval of a share; the exact one where every picture was answered alike."""
    return metrics.exact_span(value, len(np.unique(groups))) if value in (0.0, 1.0) else span


def figure(value: float, span: Doubles) -> Table:
    """A figure with its 95 % interval."""
    return {"value": value, "interval": [float(span[0]), float(span[1])]}


def mean_figure(values: Sequence[float], groups: Sequence[str], repeats: int) -> Table:
    """The mean of ``values`` (nan left out) with its interval, and their number."""
    known = np.asarray(values, np.float64)
    kept = ~np.isnan(known)
    if not kept.any():
        return {**figure(metrics.NAN, np.array([metrics.NAN, metrics.NAN])), "count": 0}
    known, names = known[kept], np.asarray(groups)[kept]
    span = metrics.bootstrap(lambda drawn: known[drawn].mean(), names, repeats)[0]
    return {**figure(float(known.mean()), span), "count": int(kept.sum())}


def paired_sources(judged: Judged) -> dict[str, Flags]:
    """The pictures (n,) of each source that holds real and fake ones."""
    found = {}
    for name in np.unique(judged.source):
        own = judged.source == name
        if len(set(judged.label[own].tolist())) > 1:
            found[str(name)] = own
    return found
