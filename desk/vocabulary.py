"""The words of the desk: states, verdicts, rules. They are keys, not sentences for people."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class CaseState(StrEnum):
    """Where a case stands. A case that was joined to another keeps its state and points there."""

    NEW = "new"
    CLAIMED = "claimed"  # one person works on it, until ``claimed_until``
    SECOND = "second"  # another opinion is due
    DECIDED = "decided"
    PUBLISHED = "published"
    DISMISSED = "dismissed"


#: The states of the queue: a person must still do something.
OPEN_STATES = (CaseState.NEW, CaseState.CLAIMED, CaseState.SECOND)
#: The states that answer a new sighting with the team's verdict.
DECIDED_STATES = (CaseState.DECIDED, CaseState.PUBLISHED)


class Review(StrEnum):
    """What a case in the state ``second`` waits for."""

    NONE = "none"
    SECOND = "second"  # another person's opinion, given blind
    TIE = "tie"  # the two opinions differ: a third person settles, or one of the two gives way


class HumanVerdict(StrEnum):
    """What a person says of a picture."""

    AUTHENTIC = "authentic"
    MANIPULATED = "manipulated"
    GENERATED = "generated"
    OUT_OF_CONTEXT = "out_of_context"  # genuine, but not of what is said about it
    CANNOT_TELL = "cannot_tell"


class Confidence(StrEnum):
    """How sure a person is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class OpinionRole(StrEnum):
    """The part that an opinion plays in its round."""

    FIRST = "first"
    SECOND = "second"
    SETTLING = "settling"


class SecondOpinions(StrEnum):
    """When a team asks for a second opinion."""

    NEVER = "never"
    ALWAYS = "always"
    IF_OVERRULED = "if_overruled"  # a person contradicts the machine
    IF_PUBLISHED = "if_published"


class DismissReason(StrEnum):
    """Why a case is put aside without a verdict."""

    SPAM = "spam"
    NO_FACE = "no_face"
    DUPLICATE = "duplicate"
    NOT_OURS = "not_ours"


class Match(StrEnum):
    """How a sighting found its case."""

    NEW = "new"
    SAME_FILE = "same_file"
    NEAR = "near_confirmed"  # a near hash, and the pictures compared place by place
    BY_HAND = "by_hand"  # a person joined two cases, or split one


class SuggestionState(StrEnum):
    """What became of the suggestion that two cases show one picture."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"  # never made again


class LinkPurpose(StrEnum):
    """What a one-time link does."""

    JOIN = "join"
    RESET = "reset"


class Action(StrEnum):
    """What the history tells, and the events of webhooks and live updates."""

    CASE_CREATED = "case.created"
    CASE_CLAIMED = "case.claimed"
    CASE_RELEASED = "case.released"
    CASE_LAPSED = "case.lapsed"
    CASE_SECOND_NEEDED = "case.second_needed"
    CASE_TIED = "case.tied"
    CASE_DECIDED = "case.decided"
    CASE_REOPENED = "case.reopened"
    CASE_PUBLISHED = "case.published"
    CASE_WITHDRAWN = "case.withdrawn"
    CASE_DISMISSED = "case.dismissed"
    CASE_RESTORED = "case.restored"
    CASE_JOINED = "case.joined"
    CASE_SPLIT = "case.split"
    CASE_EDITED = "case.edited"
    CASE_TAGGED = "case.tagged"
    CASE_DELETED = "case.deleted"
    SIGHTING_ADDED = "sighting.added"
    SUGGESTION_MADE = "suggestion.made"
    SUGGESTION_REFUSED = "suggestion.refused"
    COMMENT_ADDED = "comment.added"
    COMMENT_EDITED = "comment.edited"
    COMMENT_REMOVED = "comment.removed"
    OPINION_ADDED = "opinion.added"
    TEAM_CREATED = "team.created"
    TEAM_EDITED = "team.edited"
    MEMBER_INVITED = "member.invited"
    MEMBER_JOINED = "member.joined"
    MEMBER_CHANGED = "member.changed"
    MEMBER_LEFT = "member.left"
    MEMBER_LINKED = "member.linked"
    MEMBER_UNLINKED = "member.unlinked"
    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_REMOVED = "webhook.removed"
    EXPORT_MADE = "export.made"


class NoticeKind(StrEnum):
    """Why a person is told of a case."""

    MENTIONED = "mentioned"
    TAKEN_OVER = "taken_over"
    SECOND_NEEDED = "second_needed"
    TIED = "tied"
    DECIDED = "decided"
    REOPENED = "reopened"
    COMMENTED = "commented"
    SEEN_AGAIN = "seen_again"
    TRENDING = "trending"
    WEBHOOK_OFF = "webhook_off"


class DigestFailure(StrEnum):
    """Why the digest of a day did not reach the team's chat."""

    NOT_NAMED = "not_named"  # those who run the bot did not name the chat
    NO_CHAT = "no_chat"  # there is no such chat, or the bot is not in it
    REFUSED = "refused"  # Telegram did not take the message
    UNKNOWN = "unknown"  # the bot ended while it was being sent: it may have arrived


class Publishers(StrEnum):
    """Who may publish in a team."""

    CHECKERS = "checkers"
    ADMINS = "admins"


class TeamSettings(BaseModel):
    """The rules of a team. Unknown fields of an older version are dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    second_opinion: SecondOpinions = SecondOpinions.NEVER
    publishers: Publishers = Publishers.CHECKERS
    claim_minutes: int = Field(20, ge=1, le=1_440)
    max_claims: int = Field(5, ge=1, le=1_000)
    retention_days: int = Field(180, ge=1, le=36_500)
    decided_retention_days: int = Field(730, ge=1, le=36_500)
    auto_answer: bool = True
    stale_days: int = Field(365, ge=1, le=36_500)
    hide_score: bool = False
    allow_training: bool = False
    digest: bool = False
    digest_hour: int = Field(9, ge=0, le=23)
    digest_chat: int | None = Field(None, ge=-(10**15), le=10**15)  # Telegram's number of it
    zone: str = Field("UTC", max_length=60)
