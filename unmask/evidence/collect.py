"""All cheap evidence of one picture: marks, visible marks, metadata, how it was saved, and Content
Credentials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from unmask.evidence.blocks import Blocks, read_blocks
from unmask.evidence.credentials.reader import CredentialsReader
from unmask.evidence.credentials.report import credentials_elsewhere, credentials_finding
from unmask.evidence.fields import values
from unmask.evidence.jpeg.saving import tell_saving
from unmask.evidence.marks.search import find_marks
from unmask.evidence.metadata.reader import Metadata, read_metadata
from unmask.evidence.metadata.telling import tell
from unmask.evidence.metadata.thumbnail import compare_thumbnail
from unmask.evidence.visible.search import find_visible_marks
from unmask.findings import Evidence, weighed
from unmask.images import Picture


@dataclass(frozen=True)
class Collected:
    """The findings, the heaviest first, and the metadata that they were read from.

    The findings may be published; the metadata holds places, names and prompts. ``seconds`` is the
    time that it took to collect them.
    """

    evidence: tuple[Evidence, ...] = ()
    metadata: Metadata = field(default_factory=Metadata)
    seconds: float = 0.0


class Collector:
    """Collects evidence; holds the process that reads credentials. Serves several threads."""

    def __init__(self, credentials: CredentialsReader) -> None:
        self._credentials = credentials

    def close(self) -> None:
        """End the process that reads credentials."""
        self._credentials.close()

    def collect(self, picture: Picture) -> Collected:
        """The evidence of a picture's bytes as they were sent; of a JPEG brightness is decoded."""
        blocks = read_blocks(picture.data, picture.format)
        metadata = read_metadata(blocks)
        evidence = [
            *self._read_credentials(picture, blocks, metadata),
            *find_marks(metadata.fields),
            *tell(metadata, datetime.now(UTC)),
            *tell_saving(picture, blocks),
        ]
        return Collected(tuple(weighed(evidence)), metadata)

    def look(self, collected: Collected, decoded: Callable[[], npt.NDArray[np.uint8]]) -> Collected:
        """The same with what the picture tells beside it.

        ``decoded`` returns it as (h, w, 3), upright.
        """
        pixels = decoded()
        seen = find_visible_marks(pixels)
        if collected.metadata.thumbnail:
            seen += compare_thumbnail(collected.metadata.thumbnail, pixels)
        return replace(collected, evidence=tuple(weighed([*collected.evidence, *seen])))

    def _read_credentials(
        self, picture: Picture, blocks: Blocks, metadata: Metadata
    ) -> list[Evidence]:
        """The finding on the credentials, if the file holds some or names where they are."""
        if blocks.credentials:
            report = self._credentials.read(picture.data, picture.format)
            finding = credentials_finding(report, self._credentials.listed)
            return [finding] if finding else []
        addresses = values(metadata.fields, "XMP-dcterms:provenance")
        outside = (address for address in addresses if address.startswith(("http:", "https:")))
        return [credentials_elsewhere(address) for address in outside][:1]
