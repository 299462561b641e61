"""The tables. All but those of people and of the installation carry ``team_id``, first in each
index, so that one team's rows lie together and no query can leave it out unseen."""

from desk.models.base import Base
from desk.models.cases import Case, CaseText, Picture, Report, Sighting, Suggestion
from desk.models.history import Counter, DoneRequest, HistoryEntry, HistoryHead, HistoryText
from desk.models.outgoing import (
    Delivery,
    DigestDay,
    Erasure,
    Outbox,
    Publication,
    Submission,
    Webhook,
)
from desk.models.people import (
    ApiKey,
    Challenge,
    Identity,
    Installation,
    Link,
    LoginFailure,
    Member,
    Person,
    Session,
    Team,
)
from desk.models.work import (
    CaseTag,
    Comment,
    Mention,
    Notice,
    Opinion,
    SavedFilter,
    Tag,
    Watch,
)

__all__ = [
    "ApiKey",
    "Base",
    "Case",
    "CaseTag",
    "CaseText",
    "Challenge",
    "Comment",
    "Counter",
    "Delivery",
    "DigestDay",
    "DoneRequest",
    "Erasure",
    "HistoryEntry",
    "HistoryHead",
    "HistoryText",
    "Identity",
    "Installation",
    "Link",
    "LoginFailure",
    "Member",
    "Mention",
    "Notice",
    "Opinion",
    "Outbox",
    "Person",
    "Picture",
    "Publication",
    "Report",
    "SavedFilter",
    "Session",
    "Sighting",
    "Submission",
    "Suggestion",
    "Tag",
    "Team",
    "Watch",
    "Webhook",
]
