"""The texts that people read beside a verdict, on the page and in the PDF."""

from __future__ import annotations

from unmask.report import State, Verdict

VERDICTS = {
    Verdict.FAKE: "Signs of manipulation",
    Verdict.UNSURE: "Unsure",
    Verdict.REAL: "No sign of manipulation",
    Verdict.NO_FACE: "No face found",
}
STATES = {
    State.QUEUED: "Waiting for its turn",
    State.RUNNING: "Looking at the faces",
    State.DONE: "Done",
    State.FAILED: "Could not be examined",
}
#: What a verdict does not mean: as much a part of it as the number.
CAVEATS = {
    Verdict.FAKE: (
        "This is not a proof of forgery. The detector found traces that face manipulation often "
        "leaves; strong filters, retouching, heavy compression or a scan can leave similar ones. "
        "Look for the first source of the picture before you call it a fake."
    ),
    Verdict.UNSURE: (
        "This is neither a yes nor a no. The signs are too weak, or the face too small, for an "
        "honest answer. A larger or less compressed copy of the picture may allow one."
    ),
    Verdict.REAL: (
        "This is not a proof that the picture is genuine. It may have been made by a method that "
        "the detector does not know, altered outside the face, or shown out of its context."
    ),
    Verdict.NO_FACE: (
        "This says nothing about the picture. Only faces are examined, and none was found that is "
        "large and clear enough."
    ),
}


def lifetime(seconds: int) -> str:
    """A time to live as people say it: 24 hours, 7 days, 30 minutes."""
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        count, rest = divmod(seconds, size)
        if rest == 0 and count > (1 if name == "day" else 0):
            return f"{count} {name}{'s' if count != 1 else ''}"
    return f"{seconds} seconds"


def megabytes(count: int) -> str:
    """A number of bytes in MB, with no more digits than it takes."""
    return f"{count / 1_000_000:.6f}".rstrip("0").rstrip(".")
