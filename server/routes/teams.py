"""The routes of a team itself: its rules, people, keys, webhooks, filters and figures."""

from __future__ import annotations

from server.desk import bot, team
from server.routes.desk_route import ERRORS, GONE, ITEM, TEAM, desk_route
from unmask.permissions import Permission

READ, MANAGE = Permission.READ_CASES, Permission.MANAGE_TEAM
_MEMBER, _WEBHOOK = f"{TEAM}/members{ITEM}", f"{TEAM}/webhooks{ITEM}"
_DELIVERY, _FILTER = f"{TEAM}/deliveries{ITEM}", f"{TEAM}/filters{ITEM}"
_FILES = {"200": {"description": "The file.", "content": {"text/csv": {}, "application/json": {}}}}

TEAMS = (
    desk_route("GET", TEAM, team.read_team, READ, "A team", "TeamRecord"),
    desk_route(
        "PATCH", TEAM, team.edit_team, MANAGE, "Change a team", "TeamRecord", body="TeamChanges"
    ),
    desk_route("GET", f"{TEAM}/members", team.read_members, READ, "Members", "Members"),
    desk_route(
        "POST",
        f"{TEAM}/links",
        team.invite,
        MANAGE,
        "Invite a person",
        "OneTimeLink",
        status=201,
        body="Invitation",
    ),
    desk_route(
        "PATCH", _MEMBER, team.change_member, MANAGE, "Change a role", "Done", body="NewRole"
    ),
    # a person may leave by themselves, and an admin may remove others; the desk asks who does it
    desk_route(
        "DELETE", _MEMBER, team.remove_member, Permission.LEAVE_TEAM, "Let a member leave", GONE
    ),
    desk_route(
        "POST",
        f"{_MEMBER}/reset",
        team.reset_password,
        MANAGE,
        "A link for a new password",
        "OneTimeLink",
        status=201,
    ),
    desk_route("GET", f"{TEAM}/keys", team.read_keys, MANAGE, "Keys", "Keys"),
    desk_route(
        "POST",
        f"{TEAM}/keys",
        team.create_key,
        MANAGE,
        "Make a key",
        "CreatedKey",
        status=201,
        body="NewKey",
    ),
    desk_route(
        "DELETE",
        TEAM + "/keys/{prefix:[0-9a-f]{12}}",
        team.revoke_key,
        MANAGE,
        "Revoke a key",
        GONE,
    ),
    desk_route("GET", f"{TEAM}/webhooks", team.read_webhooks, MANAGE, "Webhooks", "Webhooks"),
    desk_route(
        "POST",
        f"{TEAM}/webhooks",
        team.create_webhook,
        MANAGE,
        "Make a webhook",
        "CreatedWebhook",
        status=201,
        body="NewWebhook",
    ),
    desk_route(
        "PATCH",
        _WEBHOOK,
        team.change_webhook,
        MANAGE,
        "Change a webhook",
        "WebhookRecord",
        body="WebhookChanges",
    ),
    desk_route("DELETE", _WEBHOOK, team.remove_webhook, MANAGE, "Remove a webhook", GONE),
    desk_route(
        "POST", f"{_WEBHOOK}/rotate", team.rotate_webhook, MANAGE, "Another secret", "Secret"
    ),
    desk_route(
        "POST", f"{_WEBHOOK}/test", team.test_webhook, MANAGE, "Test a webhook", "DeliveryRecord"
    ),
    desk_route(
        "GET", f"{TEAM}/deliveries", team.read_deliveries, MANAGE, "Deliveries", "Deliveries"
    ),
    desk_route("POST", f"{_DELIVERY}/resend", team.resend, MANAGE, "Send again", "DeliveryRecord"),
    desk_route("GET", f"{TEAM}/filters", team.read_filters, READ, "Saved filters", "Filters"),
    desk_route(
        "POST",
        f"{TEAM}/filters",
        team.save_filter,
        Permission.SAVE_FILTER,
        "Save a filter",
        "FilterRecord",
        status=201,
        body="NewFilter",
    ),
    desk_route(
        "DELETE", _FILTER, team.remove_filter, Permission.SAVE_FILTER, "Remove a filter", GONE
    ),
    desk_route("GET", f"{TEAM}/tags", team.read_tags, READ, "Tags", "Tags"),
    desk_route("GET", f"{TEAM}/notices", team.read_notices, Permission.WATCH, "Notices", "Notices"),
    desk_route(
        "POST",
        f"{TEAM}/notices/read",
        team.mark_read,
        Permission.WATCH,
        "Mark notices as read",
        "Done",
        body="Read",
    ),
    desk_route("GET", f"{TEAM}/statistics", team.read_statistics, READ, "Figures", "Statistics"),
    desk_route(
        "GET",
        TEAM + "/export.{form:csv|json}",
        team.export,
        Permission.EXPORT,
        "Export cases",
        _FILES,
        name="export_cases",
    ),
    desk_route(
        "GET",
        f"{TEAM}/history/verify",
        team.verify_history,
        Permission.VERIFY_HISTORY,
        "Verify the history",
        "Verification",
    ),
    desk_route(
        "GET", f"{TEAM}/me", bot.read_standing, Permission.LOOK_UP, "Who sends this", "Standing"
    ),
    desk_route(
        "POST",
        f"{TEAM}/linked",
        bot.link_account,
        Permission.LINK_ACCOUNT,
        "Link a chat account",
        "LinkedPerson",
        status=201,
        body="Linking",
        errors=f"{ERRORS} link_invalid rate_limited",
    ),
    desk_route(
        "POST",
        f"{TEAM}/linked/end",
        bot.unlink_account,
        Permission.LINK_ACCOUNT,
        "End a link",
        "Done",
        body="Unlinking",
    ),
    desk_route(
        "POST",
        f"{TEAM}/digest",
        bot.take_digest,
        Permission.DELIVER_DIGEST,
        "Take the digest",
        "TakenDigest",
        body="Taking",
    ),
    desk_route(
        "POST",
        f"{TEAM}/digest/end",
        bot.end_digest,
        Permission.DELIVER_DIGEST,
        "Say how the digest went",
        "Done",
        body="DigestOutcome",
    ),
)
