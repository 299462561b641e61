"""The desk's words for people, by the keys that the database and the API know."""

from __future__ import annotations

from desk.accounts import IdentityKind
from desk.queue import Sort
from desk.queue.next import WhyNone
from desk.retention.erasing import EraseReason
from desk.vocabulary import (
    Action,
    CaseState,
    Confidence,
    DigestFailure,
    DismissReason,
    HumanVerdict,
    Match,
    NoticeKind,
    OpinionRole,
    Publishers,
    SecondOpinions,
)
from unmask.i18n import gettext_noop
from unmask.permissions import Role, Scope
from unmask.report import Door

STATES = {
    CaseState.NEW: gettext_noop("New"),
    CaseState.CLAIMED: gettext_noop("Claimed"),
    CaseState.SECOND: gettext_noop("Second opinion due"),
    CaseState.DECIDED: gettext_noop("Decided"),
    CaseState.PUBLISHED: gettext_noop("Published"),
    CaseState.DISMISSED: gettext_noop("Dismissed"),
}
VERDICTS = {
    HumanVerdict.AUTHENTIC: gettext_noop("Authentic"),
    HumanVerdict.MANIPULATED: gettext_noop("Manipulated"),
    HumanVerdict.GENERATED: gettext_noop("Generated"),
    HumanVerdict.OUT_OF_CONTEXT: gettext_noop("Out of context"),
    HumanVerdict.CANNOT_TELL: gettext_noop("Cannot tell"),
}
CONFIDENCES = {
    Confidence.LOW: gettext_noop("low confidence"),
    Confidence.MEDIUM: gettext_noop("medium confidence"),
    Confidence.HIGH: gettext_noop("high confidence"),
}
DISMISSALS = {
    DismissReason.SPAM: gettext_noop("Spam"),
    DismissReason.NO_FACE: gettext_noop("No face"),
    DismissReason.DUPLICATE: gettext_noop("Duplicate"),
    DismissReason.NOT_OURS: gettext_noop("Not ours to check"),
}
OPINION_ROLES = {
    OpinionRole.FIRST: gettext_noop("First opinion"),
    OpinionRole.SECOND: gettext_noop("Second opinion"),
    OpinionRole.SETTLING: gettext_noop("Settling opinion"),
}
MATCHES = {
    Match.NEW: gettext_noop("first time"),
    Match.SAME_FILE: gettext_noop("same file"),
    Match.NEAR: gettext_noop("a copy"),
    Match.BY_HAND: gettext_noop("joined by a person"),
}
SORTS = {
    Sort.RANK: gettext_noop("What to take next"),
    Sort.SUSPICION: gettext_noop("Most suspicious"),
    Sort.SIGHTINGS: gettext_noop("Most sightings"),
    Sort.DUE: gettext_noop("Due first"),
    Sort.NEWEST: gettext_noop("Newest"),
    Sort.OLDEST: gettext_noop("Oldest"),
    Sort.DECIDED: gettext_noop("Last decided"),
}
PRIORITIES = {
    0: gettext_noop("Low"),
    1: gettext_noop("Normal"),
    2: gettext_noop("High"),
    3: gettext_noop("Urgent"),
}
ROLES = {
    Role.VIEWER: gettext_noop("Viewer"),
    Role.CHECKER: gettext_noop("Checker"),
    Role.ADMIN: gettext_noop("Admin"),
}
DOORS = {
    Door.WEB: gettext_noop("the page"),
    Door.EXTENSION: gettext_noop("the extension"),
    Door.TELEGRAM: gettext_noop("Telegram"),
    Door.CLI: gettext_noop("the command line"),
    Door.API: gettext_noop("the API"),
}
WHY_NONE = {
    WhyNone.NONE_OPEN: gettext_noop("Nothing is open here."),
    WhyNone.ALL_CLAIMED: gettext_noop("Others work on all that is open here."),
    WhyNone.OPINION_OF_ANOTHER: gettext_noop(
        "What is left waits for a second opinion, which must not be yours."
    ),
    WhyNone.CLAIM_LIMIT: gettext_noop(
        "You hold as many cases as your team allows. Decide or release one."
    ),
}
DIGEST_FAILURES = {
    DigestFailure.NOT_NAMED: gettext_noop("those who run the bot did not allow that chat"),
    DigestFailure.NO_CHAT: gettext_noop("there is no such chat, or the bot is not in it"),
    DigestFailure.REFUSED: gettext_noop("Telegram did not take it"),
    DigestFailure.UNKNOWN: gettext_noop("the bot was ended while it sent it; it may have arrived"),
}
SECOND_OPINIONS = {
    SecondOpinions.NEVER: gettext_noop("never"),
    SecondOpinions.ALWAYS: gettext_noop("always"),
    SecondOpinions.IF_OVERRULED: gettext_noop("if a person contradicts the machine"),
    SecondOpinions.IF_PUBLISHED: gettext_noop("before publishing"),
}
PUBLISHERS = {
    Publishers.CHECKERS: gettext_noop("checkers and admins"),
    Publishers.ADMINS: gettext_noop("admins alone"),
}
ERASE_REASONS = {
    EraseReason.REQUEST: gettext_noop("Somebody asked for it"),
    EraseReason.MISTAKE: gettext_noop("It came here by mistake"),
    EraseReason.LEGAL: gettext_noop("The law demands it"),
}
NOTICES = {
    NoticeKind.MENTIONED: gettext_noop("You were mentioned"),
    NoticeKind.TAKEN_OVER: gettext_noop("A case of yours was taken over"),
    NoticeKind.SECOND_NEEDED: gettext_noop("A second opinion is due"),
    NoticeKind.TIED: gettext_noop("Two opinions differ"),
    NoticeKind.DECIDED: gettext_noop("Decided"),
    NoticeKind.REOPENED: gettext_noop("Reopened"),
    NoticeKind.COMMENTED: gettext_noop("A new comment"),
    NoticeKind.SEEN_AGAIN: gettext_noop("The picture was seen again"),
    NoticeKind.TRENDING: gettext_noop("The picture is seen often just now"),
    NoticeKind.WEBHOOK_OFF: gettext_noop("A webhook was turned off"),
}
ACTIONS = {
    Action.CASE_CREATED: gettext_noop("opened the case"),
    Action.CASE_CLAIMED: gettext_noop("claimed it"),
    Action.CASE_RELEASED: gettext_noop("gave it back"),
    Action.CASE_LAPSED: gettext_noop("the claim lapsed"),
    Action.CASE_SECOND_NEEDED: gettext_noop("a second opinion became due"),
    Action.CASE_TIED: gettext_noop("two opinions differ"),
    Action.CASE_DECIDED: gettext_noop("decided it"),
    Action.CASE_REOPENED: gettext_noop("reopened it"),
    Action.CASE_PUBLISHED: gettext_noop("published it"),
    Action.CASE_WITHDRAWN: gettext_noop("withdrew the report"),
    Action.CASE_DISMISSED: gettext_noop("dismissed it"),
    Action.CASE_RESTORED: gettext_noop("restored it"),
    Action.CASE_JOINED: gettext_noop("joined two cases"),
    Action.CASE_SPLIT: gettext_noop("split the case"),
    Action.CASE_EDITED: gettext_noop("edited it"),
    Action.CASE_TAGGED: gettext_noop("changed its tags"),
    Action.SIGHTING_ADDED: gettext_noop("a sighting came"),
    Action.SUGGESTION_MADE: gettext_noop("another case was suggested"),
    Action.SUGGESTION_REFUSED: gettext_noop("refused a suggestion"),
    Action.COMMENT_ADDED: gettext_noop("commented"),
    Action.COMMENT_EDITED: gettext_noop("edited a comment"),
    Action.COMMENT_REMOVED: gettext_noop("removed a comment"),
    Action.OPINION_ADDED: gettext_noop("gave an opinion"),
}
IDENTITIES = {
    IdentityKind.PASSKEY: gettext_noop("Passkey"),
    IdentityKind.OIDC: gettext_noop("Account at a provider"),
    IdentityKind.TELEGRAM: "Telegram",
}
SCOPES = {
    Scope.CHECK: gettext_noop("make checks"),
    Scope.LIST: gettext_noop("list checks"),
    Scope.DELETE: gettext_noop("delete checks"),
    Scope.DESK_READ: gettext_noop("read cases"),
    Scope.DESK_SEND: gettext_noop("send pictures to the team"),
    Scope.DESK_WRITE: gettext_noop("edit and comment"),
    Scope.DESK_BOT: gettext_noop("be the team's bot: act for people who link it, bring the digest"),
}
