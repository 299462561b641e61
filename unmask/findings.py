"""What a picture's file tells of its own origin, beside the score: the vocabulary of evidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Weight(StrEnum):
    """How much a finding weighs, the heaviest first."""

    #: The file says so, and a signature that a trust list vouches for covers the picture.
    STATEMENT = "statement"
    #: An unsigned field or a visible mark says so: anybody can write or draw one.
    HINT = "hint"
    #: Context: it may be read together with other facts.
    NOTE = "note"


class Kind(StrEnum):
    """Where a finding comes from."""

    CREDENTIALS = "credentials"
    MARKS = "marks"
    VISIBLE_MARKS = "visible_marks"
    METADATA = "metadata"
    JPEG = "jpeg"
    SCENE = "scene"
    DUPLICATES = "duplicates"


class Layer(StrEnum):
    """Pictures of where a file has other traces of saving than elsewhere, drawn on demand."""

    ERROR_LEVELS = "error-levels"
    GHOSTS = "ghosts"
    NOISE = "noise"


class Says(StrEnum):
    """What a finding says of the picture's origin, the most telling first."""

    GENERATED = "generated"
    EDITED = "edited"
    CAMERA = "camera"
    NOTHING = "nothing"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Where(_Frozen):
    """The place of a finding: ``field`` is a field of the file, named as exiftool names it;
    ``box`` is x, y, width, height in pixels of the picture as shown; ``layer`` is the file of a
    picture of the result that shows it."""

    field: str | None = None
    box: tuple[int, int, int, int] | None = None
    layer: str | None = None


class Evidence(_Frozen):
    """One finding about the file.

    ``code`` says what was found and ``parameters`` fill its sentence; ``sentence`` is that in
    English, once the finding stands in a report. All may be published: what a file holds of
    places, names and prompts is in no parameter.
    """

    kind: Kind
    code: str
    weight: Weight
    says: Says = Says.NOTHING
    where: Where = Where()
    parameters: dict[str, str | int] = {}
    sentence: str = ""


def seen_before(times: Sequence[datetime]) -> Evidence:
    """The note that the same file was checked before, at one or more ``times``, oldest first."""
    return _seen("seen_before", times)


def copy_seen_before(times: Sequence[datetime]) -> Evidence:
    """The same for copies of the picture in other sizes or encodings."""
    return _seen("copy_seen_before", times)


def _seen(code: str, times: Sequence[datetime]) -> Evidence:
    return Evidence(
        kind=Kind.DUPLICATES,
        code=code,
        weight=Weight.NOTE,
        parameters={"times": len(times), "first": times[0].date().isoformat()},
    )


def weighed(evidence: Iterable[Evidence]) -> list[Evidence]:
    """The findings, the heaviest first and among equals the most telling; else as they came."""
    weights, words = list(Weight), list(Says)
    return sorted(evidence, key=lambda item: (weights.index(item.weight), words.index(item.says)))


def evidence_says(evidence: Iterable[Evidence]) -> Says:
    """What the evidence as a whole says of the picture's origin.

    Notes say nothing by themselves. Of several answers the most telling counts, whatever the
    weight: a camera's signature does not outweigh a generator's mark.
    """
    words = list(Says)
    telling = (item.says for item in evidence if item.weight is not Weight.NOTE)
    return min(telling, key=words.index, default=Says.NOTHING)


def telling(evidence: Iterable[Evidence]) -> Evidence | None:
    """The finding to name in the statement: the heaviest one that says what the whole says, if
    possible one that names a maker."""
    findings = weighed(evidence)
    says = evidence_says(findings)
    fitting = [item for item in findings if item.says is says and item.weight is not Weight.NOTE]
    if says is Says.NOTHING:
        return None
    heaviest = [item for item in fitting if item.weight is fitting[0].weight]
    return next((item for item in heaviest if _names_maker(item)), heaviest[0])


def _names_maker(finding: Evidence) -> bool:
    return "maker" in finding.parameters or "agent" in finding.parameters
