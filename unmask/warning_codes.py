"""What a reader must know of a picture or its examination: a code and its parameters.

The codes and their English sentences stand in :data:`WARNING_CODES`, which docs/api.md lists. To
add one, add a line there, then its translations (``python -m scripts.catalogues``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from unmask.i18n import gettext_noop, ngettext_noop


@dataclass(frozen=True)
class WarningText:
    """The English sentence of a code, with ``{parameters}`` to fill in.

    ``many`` is the sentence where ``number`` is not 1. ``of_faces`` tells a warning about the faces
    of a picture from one about its file.
    """

    one: str
    many: str = ""
    of_faces: bool = False


WARNING_CODES: dict[str, WarningText] = {
    "some_frames": WarningText(gettext_noop("Only some of the {number} frames were examined.")),
    "first_page": WarningText(
        *ngettext_noop(
            "Only the first of {number} page was examined.",
            "Only the first of {number} pages was examined.",
        )
    ),
    "main_picture": WarningText(
        *ngettext_noop(
            "Only the main one of {number} picture was examined.",
            "Only the main one of {number} pictures was examined.",
        )
    ),
    "video_left_out": WarningText(
        gettext_noop("The short video that comes with this motion photo was not examined.")
    ),
    "end_missing": WarningText(
        gettext_noop("The end of the file is missing; what is left of the picture was examined.")
    ),
    "turned_by_some": WarningText(
        gettext_noop(
            "Some programs show this picture turned or mirrored. It was examined as browsers "
            "show it."
        )
    ),
    "transparent": WarningText(
        gettext_noop(
            "Parts of this picture are transparent. It was examined on white and on black, and the "
            "more suspicious result counts."
        )
    ),
    "hidden_picture": WarningText(
        gettext_noop(
            "Programs that play no animations show another picture in this file. Both were "
            "examined, and the more suspicious result counts."
        )
    ),
    "faces_left_out": WarningText(
        *ngettext_noop(
            "Only the {number} largest of {total} faces was examined.",
            "Only the {number} largest of {total} faces were examined.",
        ),
        of_faces=True,
    ),
    "small_faces_missed": WarningText(
        gettext_noop(
            "In a picture this large, faces smaller than {number} pixels may have been missed."
        ),
        of_faces=True,
    ),
}


class CodedWarning(BaseModel):
    """A warning: ``code`` is a key of :data:`WARNING_CODES`; ``parameters`` fill its sentence.

    A stored one may have a code that only a later version knows.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    parameters: Mapping[str, int | float | str] = Field(default_factory=dict)

    @property
    def text(self) -> WarningText:
        """The sentence of its code, to be translated and filled in."""
        return WARNING_CODES[self.code]

    @property
    def is_of_faces(self) -> bool:
        """Whether it is about the faces of a picture, not about its file."""
        return self.code in WARNING_CODES and self.text.of_faces

    @property
    def english(self) -> str:
        """The sentence in English."""
        is_many = self.text.many and self.parameters.get("number") != 1
        return (self.text.many if is_many else self.text.one).format(**self.parameters)


def warn(code: str, **parameters: int | float | str) -> CodedWarning:
    """The warning of a code, with its parameters."""
    if code not in WARNING_CODES:
        raise KeyError(f"undocumented warning code: {code}")
    return CodedWarning(code=code, parameters=parameters)
