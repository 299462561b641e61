"""The one vocabulary: what a check found, and the JSON (version 1) that every door shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from unmask.findings import Evidence, Says
from unmask.i18n import DEFAULT
from unmask.warning_codes import WARNING_CODES, CodedWarning

#: People see 1 to 99 %: no detector knows for certain.
MIN_SHOWN, MAX_SHOWN = 0.01, 0.99
#: The probability from which the region of an unsure face is shown.
MARKED_FROM = 0.5


class Verdict(StrEnum):
    """What is said of a face or a picture, most suspicious first."""

    FAKE = "fake"
    UNSURE = "unsure"
    REAL = "real"
    NO_FACE = "no_face"


class UnsureReason(StrEnum):
    """Why a face is called neither fake nor real."""

    TOO_SMALL = "too_small"
    JUDGES_DISAGREE = "judges_disagree"
    TOO_FEW_SIGNS = "too_few_signs"
    TOO_WEAK = "too_weak"
    OCCLUDED = "occluded"
    PROFILE = "profile"


class State(StrEnum):
    """Where a check stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Door(StrEnum):
    """Where a check came in."""

    WEB = "web"
    EXTENSION = "extension"
    TELEGRAM = "telegram"
    CLI = "cli"
    API = "api"


class Priority(StrEnum):
    """Who waits: people (``interactive``) are served before ``bulk``."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Box = tuple[int, int, int, int]
Point = tuple[float, float]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Image(_Frozen):
    """The picture examined: size in pixels as shown (EXIF orientation applied), and format."""

    width: int
    height: int
    format: str


class JudgeScore(_Frozen):
    """What one of the model's judges alone thinks of a face."""

    name: str
    fake_probability: Probability


class Face(_Frozen):
    """One face: ``box`` is x, y, width, height in pixels; ``landmarks`` are the viewer's left eye,
    right eye, nose tip, left and right mouth corner; ``reasons`` say why an unsure face is unsure;
    ``judges`` are the scores that ``fake_probability`` was made of; ``tampered_fraction`` is the
    share of the face's own region that the mask marks (0 where no region is shown)."""

    box: Box
    landmarks: tuple[Point, Point, Point, Point, Point]
    fake_probability: Probability
    verdict: Verdict
    tampered_fraction: Probability
    outline: tuple[tuple[tuple[int, int], ...], ...] = ()
    reasons: tuple[UnsureReason, ...] = ()
    judges: tuple[JudgeScore, ...] = ()


class Model(_Frozen):
    """The model that judged."""

    name: str
    version: str
    sha256: str


class Pictures(_Frozen):
    """Where the pictures of the result are: file names or URLs; None when not made."""

    annotated: str | None = None
    mask: str | None = None
    heatmap: str | None = None


class Timings(_Frozen):
    """Milliseconds spent on each stage."""

    queue: float = 0.0
    decode: float = 0.0
    faces: float = 0.0
    model: float = 0.0
    draw: float = 0.0
    evidence: float = 0.0
    total: float = 0.0


class Report(_Frozen):
    """What was found in one picture: the same for every check of it by the same model.

    ``threshold`` is the bound on the heatmap. A face of this picture is called fake from
    ``fake_bound`` on and real below ``real_bound``: both rise with the number of faces, one of
    which may well stand out by chance. ``warnings`` are the English sentences of ``warning_codes``;
    a report that an earlier version stored has the sentences alone. ``evidence`` is what the file
    tells of its origin, the heaviest first; ``evidence_says`` what it says as a whole. Neither
    changes ``verdict``, which is of the faces.
    """

    version: int = 1
    sha256: str
    verdict: Verdict
    fake_probability: Probability | None
    statement: str
    image: Image
    faces: tuple[Face, ...]
    model: Model
    threshold: Probability
    real_bound: Probability | None = None
    fake_bound: Probability | None = None
    pictures: Pictures = Pictures()
    timings_ms: Timings = Timings()
    evidence: tuple[Evidence, ...] = ()
    evidence_says: Says = Says.NOTHING
    warning_codes: tuple[CodedWarning, ...] = ()
    warnings: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _word_warnings(cls, values: Any) -> Any:
        if isinstance(values, dict) and "warnings" not in values:
            codes = [CodedWarning.model_validate(one) for one in values.get("warning_codes", ())]
            return {**values, "warnings": [warning.english for warning in codes]}
        return values

    @property
    def warnings_to_word(self) -> tuple[CodedWarning | str, ...]:
        """Each warning as its code, or as its English sentence where the code is not known: an
        earlier version stored none, and a later one has new ones."""
        known = tuple(
            warning if warning.code in WARNING_CODES else sentence
            for warning, sentence in zip(self.warning_codes, self.warnings, strict=False)
        )
        return known or self.warnings


class Check(_Frozen):
    """One request to examine one picture, as it stands.

    ``error`` is the inside of the one error shape (code, message, detail) of a failed check;
    ``verdict`` and ``fake_probability`` are those of the picture once it is done (a picture
    without a face has no probability); ``model_version`` is that of the model that judged, before
    that the one asked for. ``language`` is that of the words on the annotated picture. ``report``
    is there once the check is done, except in lists. At
    ``expires`` every trace of the check is removed.
    """

    id: str
    sha256: str
    door: Door
    team: str | None = None
    priority: Priority = Priority.INTERACTIVE
    language: str = DEFAULT
    state: State = State.QUEUED
    created: datetime
    expires: datetime
    verdict: Verdict | None = None
    fake_probability: Probability | None = None
    error: dict[str, Any] | None = None
    model_version: str
    report: Report | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in (State.DONE, State.FAILED)


def shown_percent(probability: float) -> int:
    """The whole per cent that people see: 1 to 99, never 0 or 100."""
    return round(100 * min(max(probability, MIN_SHOWN), MAX_SHOWN))


def is_marked(verdict: Verdict, probability: float) -> bool:
    """Whether a face's region is shown: it is called fake, or is more likely fake than not.

    A region on a face of which little is thought would point at nothing.
    """
    return verdict is Verdict.FAKE or (verdict is Verdict.UNSURE and probability >= MARKED_FROM)


def most_suspicious(faces: Sequence[Face]) -> Face:
    """The face that decides on a picture: the verdict leads, then the probability."""
    order = (Verdict.FAKE, Verdict.UNSURE, Verdict.REAL)
    return min(faces, key=lambda face: (order.index(face.verdict), -face.fake_probability))


def picture_verdict(faces: Sequence[Face]) -> tuple[Verdict, float | None]:
    """A picture's verdict and probability: those of its most suspicious face."""
    if not faces:
        return Verdict.NO_FACE, None
    worst = most_suspicious(faces)
    return worst.verdict, worst.fake_probability
