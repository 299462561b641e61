"""Makes reports without a detector."""

from __future__ import annotations

from unmask.report import Face, Image, Model, Report, Verdict, picture_verdict
from unmask.warning_codes import CodedWarning
from unmask.wording.reports import english_statement

_POINTS = ((1.0, 1.0), (2.0, 1.0), (1.5, 1.5), (1.0, 2.0), (2.0, 2.0))
_PROBABILITY = {Verdict.FAKE: 0.97, Verdict.UNSURE: 0.6, Verdict.REAL: 0.05}


def face(verdict: Verdict, probability: float | None = None) -> Face:
    value = _PROBABILITY[verdict] if probability is None else probability
    return Face(
        box=(0, 0, 9, 9),
        landmarks=_POINTS,
        fake_probability=value,
        verdict=verdict,
        tampered_fraction=0.0,
    )


def report(*faces: Face, warnings: tuple[CodedWarning, ...] = ()) -> Report:
    verdict, probability = picture_verdict(faces)
    return Report(
        sha256="0" * 64,
        verdict=verdict,
        fake_probability=probability,
        statement=english_statement(faces),
        image=Image(width=9, height=9, format="JPEG"),
        faces=faces,
        model=Model(name="unmask-densenet121", version="10.20.30", sha256="0" * 64),
        threshold=0.5,
        warning_codes=warnings,
    )
