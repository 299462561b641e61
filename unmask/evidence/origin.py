"""Whether a file tells its origin at all: what a program asks that has no worker's libraries."""

from __future__ import annotations

from unmask.evidence.blocks import read_blocks
from unmask.evidence.marks.search import find_marks
from unmask.evidence.metadata.reader import read_metadata
from unmask.images import Picture


def tells_origin(picture: Picture) -> bool:
    """Whether a picture's file may say how it was made: quick, and without reading credentials.

    Such a file is never answered for by a copy that looks alike.
    """
    blocks = read_blocks(picture.data, picture.format)
    return blocks.credentials or bool(find_marks(read_metadata(blocks).fields))
