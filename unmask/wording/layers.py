"""The words of layers: what each picture of the traces of saving shows, and does not show."""

from __future__ import annotations

from unmask.findings import Layer
from unmask.i18n import Texts, gettext_noop
from unmask.wording.kinds import About

LAYERS = {
    Layer.ERROR_LEVELS: About(
        gettext_noop("Error levels"),
        gettext_noop(
            "How much each place changes when the picture is saved as a JPEG once more. What was "
            "put in after an earlier saving may be brighter."
        ),
        gettext_noop("That something is fake: edges and textures are bright in every picture."),
    ),
    Layer.GHOSTS: About(
        gettext_noop("JPEG ghosts"),
        gettext_noop(
            "Bright places were saved before at another quality than the rest, or not at all."
        ),
        gettext_noop(
            "That something is fake: text, dark places and those at the picture's edge may be "
            "bright, too. In a picture that was made smaller since, nothing of an edit is left."
        ),
    ),
    Layer.NOISE: About(
        gettext_noop("Noise"),
        gettext_noop("Bright places are more or less grainy than most of the picture."),
        gettext_noop(
            "That something is fake: hair, skin and what is out of focus differ in every picture."
        ),
    ),
}


def about_layer(texts: Texts, layer: Layer) -> About:
    """What a layer is called, shows and does not show, in the reader's language."""
    return LAYERS[layer].told(texts)
