"""Pictures that come to a team: which case they belong to, and what the team said of them."""

from desk.pictures.intake import CheckSource, Intake, NoChecks, Sent, SentState, Source
from desk.pictures.keep import Keep
from desk.pictures.lookup import Lookup, TeamAnswer

__all__ = [
    "CheckSource",
    "Intake",
    "Keep",
    "Lookup",
    "NoChecks",
    "Sent",
    "SentState",
    "Source",
    "TeamAnswer",
]
