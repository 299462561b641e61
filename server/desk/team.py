"""A team over the API: its rules, people, keys, webhooks, filters, figures and history."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from desk.outgoing import ExportFormat
from desk.queue import CaseFilter, Sort
from server.api.responses import json_response
from server.context import TEAM_ACTOR
from server.desk.addresses import address
from server.desk.cases import desk_of, filter_of
from server.desk.fields import CaseNumber, RowId, checked_fields, read_fields
from server.desk.fresh import require_fresh_admin
from server.desk.responses import done, list_response, model_response
from unmask.permissions import Role, Scope


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TeamChanges(_Strict):
    """What to change of a team."""

    name: str | None = None
    locale: str | None = None
    settings: dict[str, Any] | None = None


class Invitation(_Strict):
    """The role that the new member gets."""

    role: Role = Role.CHECKER


class NewRole(_Strict):
    """A member's other role."""

    role: Role


class NewKey(_Strict):
    """A key for a program; without ``days`` it never expires."""

    name: str
    scopes: tuple[Scope, ...] = Field(min_length=1)
    days: float | None = 365


class NewWebhook(_Strict):
    """Where events go; without ``events`` all of them do."""

    url: str
    events: tuple[str, ...] = ()


class WebhookChanges(_Strict):
    """What to change of a webhook."""

    url: str | None = None
    events: tuple[str, ...] | None = None
    active: bool | None = None


class NewFilter(_Strict):
    """A filter under a name; ``for_team`` shows it to everybody."""

    name: str
    filter: CaseFilter
    sort: Sort = Sort.RANK
    for_team: bool = False


class Read(_Strict):
    """Which notices were read: some, those of a case, or all."""

    ids: tuple[RowId, ...] | None = Field(None, max_length=1_000)
    case: CaseNumber | None = None


class Days(BaseModel):
    """How far back figures go."""

    days: int = Field(30, ge=1, le=3_650)


def _id(request: web.Request) -> int:
    return int(request.match_info["item"])


async def read_team(request: web.Request) -> web.Response:
    """The team and its rules."""
    return model_response(await desk_of(request).teams.get(request[TEAM_ACTOR]))


async def edit_team(request: web.Request) -> web.Response:
    """Change the team's name, language or rules."""
    fields = await read_fields(request, TeamChanges)
    team = await desk_of(request).teams.edit(request[TEAM_ACTOR], **fields.model_dump())
    return model_response(team)


async def read_members(request: web.Request) -> web.Response:
    """The team's members, those who left last."""
    return list_response("members", await desk_of(request).members.list(request[TEAM_ACTOR]))


async def invite(request: web.Request) -> web.Response:
    """A one-time link with which a person joins the team."""
    await require_fresh_admin(request)
    fields = await read_fields(request, Invitation)
    token = await desk_of(request).links.invite(request[TEAM_ACTOR], fields.role)
    return json_response({"link": address(request, f"/join/{token}")}, 201)


async def change_member(request: web.Request) -> web.Response:
    """Give a member another role."""
    await require_fresh_admin(request)
    fields = await read_fields(request, NewRole)
    await desk_of(request).members.change_role(request[TEAM_ACTOR], _id(request), fields.role)
    return done()


async def remove_member(request: web.Request) -> web.Response:
    """Let a member leave."""
    await desk_of(request).members.remove(request[TEAM_ACTOR], _id(request))
    return web.Response(status=204)


async def reset_password(request: web.Request) -> web.Response:
    """A one-time link with which a member sets a new password."""
    await require_fresh_admin(request)
    token = await desk_of(request).links.reset(request[TEAM_ACTOR], _id(request))
    return json_response({"link": address(request, f"/join/{token}")}, 201)


async def read_keys(request: web.Request) -> web.Response:
    """The team's keys, without their secrets."""
    return list_response("keys", await desk_of(request).keys.list(request[TEAM_ACTOR]))


async def create_key(request: web.Request) -> web.Response:
    """A key for a program; it is shown once."""
    await require_fresh_admin(request)
    fields = await read_fields(request, NewKey)
    key, record = await desk_of(request).keys.create(
        request[TEAM_ACTOR], fields.name, fields.scopes, days=fields.days
    )
    return json_response({"key": key, "record": record.model_dump(mode="json")}, 201)


async def revoke_key(request: web.Request) -> web.Response:
    """End a key at once."""
    await desk_of(request).keys.revoke(request[TEAM_ACTOR], request.match_info["prefix"])
    return web.Response(status=204)


async def read_webhooks(request: web.Request) -> web.Response:
    """The team's webhooks."""
    return list_response("webhooks", await desk_of(request).webhooks.all(request[TEAM_ACTOR]))


async def create_webhook(request: web.Request) -> web.Response:
    """A webhook; its secret is shown once."""
    fields = await read_fields(request, NewWebhook)
    secret, record = await desk_of(request).webhooks.create(
        request[TEAM_ACTOR], fields.url, fields.events
    )
    return json_response({"secret": secret, "webhook": record.model_dump(mode="json")}, 201)


async def change_webhook(request: web.Request) -> web.Response:
    """Change a webhook, or turn it on again."""
    fields = await read_fields(request, WebhookChanges)
    record = await desk_of(request).webhooks.change(
        request[TEAM_ACTOR],
        _id(request),
        url=fields.url,
        events=fields.events,
        active=fields.active,
    )
    return model_response(record)


async def rotate_webhook(request: web.Request) -> web.Response:
    """Another secret; the one before stays valid for a time."""
    secret = await desk_of(request).webhooks.rotate(request[TEAM_ACTOR], _id(request))
    return json_response({"secret": secret})


async def test_webhook(request: web.Request) -> web.Response:
    """Send a test event now."""
    return model_response(await desk_of(request).webhooks.test(request[TEAM_ACTOR], _id(request)))


async def remove_webhook(request: web.Request) -> web.Response:
    """Remove a webhook."""
    await desk_of(request).webhooks.remove(request[TEAM_ACTOR], _id(request))
    return web.Response(status=204)


async def read_deliveries(request: web.Request) -> web.Response:
    """What was sent to webhooks, newest first."""
    deliveries = await desk_of(request).webhooks.deliveries(request[TEAM_ACTOR])
    return list_response("deliveries", deliveries)


async def resend(request: web.Request) -> web.Response:
    """Send a delivery again."""
    return model_response(await desk_of(request).webhooks.resend(request[TEAM_ACTOR], _id(request)))


async def read_filters(request: web.Request) -> web.Response:
    """The person's saved filters, and the team's."""
    return list_response("filters", await desk_of(request).filters.list(request[TEAM_ACTOR]))


async def save_filter(request: web.Request) -> web.Response:
    """Save a filter under a name."""
    fields = await read_fields(request, NewFilter)
    record = await desk_of(request).filters.save(
        request[TEAM_ACTOR], fields.name, fields.filter, fields.sort, for_team=fields.for_team
    )
    return model_response(record, 201)


async def remove_filter(request: web.Request) -> web.Response:
    """Remove a saved filter."""
    await desk_of(request).filters.delete(request[TEAM_ACTOR], _id(request))
    return web.Response(status=204)


async def read_tags(request: web.Request) -> web.Response:
    """The team's tags, each with the number of its cases."""
    return json_response({"tags": await desk_of(request).editing.tags(request[TEAM_ACTOR])})


async def read_notices(request: web.Request) -> web.Response:
    """The person's notices, newest first."""
    unread = request.query.get("all") is None
    notices = await desk_of(request).notices.list(request[TEAM_ACTOR], unread=unread)
    return list_response("notices", notices)


async def mark_read(request: web.Request) -> web.Response:
    """Mark notices as read."""
    fields = await read_fields(request, Read)
    await desk_of(request).notices.mark_read(request[TEAM_ACTOR], ids=fields.ids, case=fields.case)
    return done()


async def read_statistics(request: web.Request) -> web.Response:
    """Throughput, time to a verdict, agreement, and people against the machine."""
    days = checked_fields(Days, dict(request.query)).days
    return model_response(await desk_of(request).figures.of_team(request[TEAM_ACTOR], days))


async def export(request: web.Request) -> web.StreamResponse:
    """All cases of the filter in the query, as CSV or JSON, while they are read."""
    form = ExportFormat(request.match_info["form"])
    pieces = desk_of(request).export.stream(request[TEAM_ACTOR], filter_of(request), form)
    first = await anext(pieces)  # what is refused is refused before the head is sent
    kind = "text/csv" if form is ExportFormat.CSV else "application/json"
    response = web.StreamResponse(
        headers={
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Disposition": f'attachment; filename="cases.{form.value}"',
        }
    )
    await response.prepare(request)
    await response.write(first)
    async for piece in pieces:
        await response.write(piece)
    await response.write_eof()
    return response


async def verify_history(request: web.Request) -> web.Response:
    """Whether the chain of the team's history holds."""
    return model_response(await desk_of(request).history.verify(request[TEAM_ACTOR]))
