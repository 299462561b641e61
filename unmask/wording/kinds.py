"""The words of the kinds of evidence: what each is called, shows and does not show."""

from __future__ import annotations

from dataclasses import dataclass

from unmask.findings import Kind
from unmask.i18n import Texts, gettext_noop


@dataclass(frozen=True)
class About:
    """What a kind of evidence is called, what it shows, and what it does not show."""

    title: str
    shows: str
    shows_not: str

    def told(self, texts: Texts) -> About:
        """The same in the reader's language."""
        return About(*map(texts.gettext, (self.title, self.shows, self.shows_not)))


KINDS = {
    Kind.CREDENTIALS: About(
        gettext_noop("Content Credentials"),
        gettext_noop("A signed note in the file on how the picture was made, and by whom."),
        gettext_noop(
            "Whether the scene is true and, without a trusted signer, who wrote the note. "
            "Most platforms remove such notes, so that none means nothing."
        ),
    ),
    Kind.MARKS: About(
        gettext_noop("Generators' marks"),
        gettext_noop("Fields by which programs that make pictures name themselves."),
        gettext_noop(
            "Who wrote them: anybody can add or remove such a field. Marks in the pixels, such "
            "as SynthID, are read only by their makers; ask there."
        ),
    ),
    Kind.VISIBLE_MARKS: About(
        gettext_noop("Visible marks"),
        gettext_noop("Signs that generators and platforms draw onto their pictures."),
        gettext_noop("Who drew them: anybody can add a sign, or cut it off."),
    ),
    Kind.METADATA: About(
        gettext_noop("Metadata"),
        gettext_noop("What cameras and programs wrote into the file."),
        gettext_noop(
            "Whether it is true: every field can be typed by hand. Missing fields mean nothing, "
            "for most platforms remove them."
        ),
    ),
    Kind.JPEG: About(
        gettext_noop("Traces of saving"),
        gettext_noop("How often and how strongly the picture was compressed, and where."),
        gettext_noop("Whether it is fake: every platform saves pictures again."),
    ),
    Kind.SCENE: About(
        gettext_noop("The picture as a whole"),
        gettext_noop("What a network thinks of the whole picture, and of what lies around faces."),
        gettext_noop("Whether a face was changed; it takes no part in the verdict."),
    ),
    Kind.DUPLICATES: About(
        gettext_noop("Seen before"),
        gettext_noop("The same file, or a copy of the picture, among earlier checks."),
        gettext_noop("Whether the earlier context was the true one."),
    ),
}


def about(texts: Texts, kind: Kind) -> About:
    """What a kind of evidence is called, shows and does not show, in the reader's language."""
    return KINDS[kind].told(texts)
