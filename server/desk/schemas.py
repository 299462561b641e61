"""The schemas of the desk for the description of the API."""

from __future__ import annotations

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from desk.accounts import KeyRecord, LinkedPerson, MemberRecord, TeamRecord
from desk.cases import CaseDetail, CaseRecord, CommentRecord, NoticeRecord
from desk.changes import HistoryRecord, Verification
from desk.outgoing import DeliveryRecord, Digest, WebhookRecord
from desk.pictures import Sent, TeamAnswer
from desk.queue import BulkOutcome, CasePage, FilterRecord, NextCase
from desk.queue.pages import Counts
from desk.statistics import Statistics
from server.api.openapi.schemas import REF, Json, listed, ref, shape
from server.desk import actions, bot, cases, intake, live, team

_ANSWERS: tuple[type[BaseModel], ...] = (
    CaseRecord,
    CasePage,
    CaseDetail,
    CommentRecord,
    Counts,
    NextCase,
    BulkOutcome,
    Sent,
    TeamAnswer,
    TeamRecord,
    MemberRecord,
    KeyRecord,
    WebhookRecord,
    DeliveryRecord,
    FilterRecord,
    NoticeRecord,
    HistoryRecord,
    Statistics,
    Verification,
    LinkedPerson,
    Digest,
    bot.Standing,
)
_BODIES: tuple[type[BaseModel], ...] = (
    *{action.fields for action in actions.ACTIONS.values()},
    cases.Edits,
    cases.Text,
    cases.Split,
    cases.Many,
    intake.Sending,
    intake.Question,
    live.Here,
    team.TeamChanges,
    team.Invitation,
    team.NewRole,
    team.NewKey,
    team.NewWebhook,
    team.WebhookChanges,
    team.NewFilter,
    team.Read,
    bot.Linking,
    bot.Unlinking,
    bot.Taking,
    bot.DigestOutcome,
)


def desk_schemas() -> Json:
    """The schemas of what the desk's routes take and answer, by name."""
    answers: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (model, "serialization") for model in _ANSWERS
    ]
    bodies: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (model, "validation") for model in _BODIES
    ]
    _, made = models_json_schema(answers + bodies, ref_template=REF + "{model}")
    text: Json = {"type": "string"}
    models: Json = made["$defs"]
    return models | {
        "CaseList": ref("CasePage"),
        "Comments": listed("comments", "CommentRecord"),
        "CaseHistory": listed("history", "HistoryRecord"),
        "Members": listed("members", "MemberRecord"),
        "Keys": listed("keys", "KeyRecord"),
        "Webhooks": listed("webhooks", "WebhookRecord"),
        "Deliveries": listed("deliveries", "DeliveryRecord"),
        "Filters": listed("filters", "FilterRecord"),
        "Notices": listed("notices", "NoticeRecord"),
        "Answers": shape(
            "What the team says, by SHA-256; what it does not know is left out.",
            answers={"type": "object", "additionalProperties": ref("TeamAnswer")},
        ),
        "People": shape(
            "The people at the desk, by the case that they have open; 0 is the queue.",
            cases={"type": "object", "additionalProperties": {"type": "array"}},
        ),
        "Tags": shape(
            "How many cases each tag has.",
            tags={"type": "object", "additionalProperties": {"type": "integer"}},
        ),
        "OneTimeLink": shape("A link that works once, within 48 hours.", link=text),
        "CreatedKey": shape("A key, shown once.", key=text, record=ref("KeyRecord")),
        "CreatedWebhook": shape(
            "A webhook and its secret, shown once.", secret=text, webhook=ref("WebhookRecord")
        ),
        "Secret": shape("A secret, shown once.", secret=text),
        "TakenDigest": shape(
            "The digest of today, or null.", digest={"anyOf": [ref("Digest"), {"type": "null"}]}
        ),
        "Done": shape("It was done.", done={"const": True}),
    }
