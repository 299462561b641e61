"""Why something that a person sent is not examined, as a code and in words."""

from __future__ import annotations

from enum import StrEnum

from unmask.i18n import gettext_noop


class Refused(StrEnum):
    """Why what a message holds is not examined."""

    VIDEO = "video"
    SOUND = "sound"
    STORY = "story"
    LOCKED = "locked"
    OWN_REPLY = "own_reply"


REFUSALS = {
    Refused.VIDEO: gettext_noop(
        "I cannot examine videos yet, only photographs. Send a still of it: a screenshot of the "
        "face, as large as it gets."
    ),
    Refused.SOUND: gettext_noop("I examine photographs, not sound."),
    Refused.STORY: gettext_noop(
        "Telegram does not hand stories to bots. Save the picture, or take a screenshot of it, "
        "and send me that."
    ),
    Refused.LOCKED: gettext_noop(
        "Telegram hands over only a preview of these paid media. Unlock them, then send me the "
        "picture or a screenshot of it."
    ),
    Refused.OWN_REPLY: gettext_noop(
        "This is my own answer. Reply to the picture that it is about."
    ),
}
