"""The pages of a team itself: its people, rules, keys and webhooks; figures and notices."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from aiohttp import web

from desk.vocabulary import Action
from server.context import DESK, LANGUAGE, TEAM_ACTOR
from server.desk.addresses import address
from server.desk.fields import checked_fields, read_form
from server.desk.fresh import require_fresh_admin
from server.desk.team import Invitation, NewKey, NewRole, NewWebhook, WebhookChanges
from server.web.desk.addresses import team_path, to
from server.web.desk.rendering import show_team
from server.web.texts import texts_in
from unmask.errors import UnmaskError
from unmask.permissions import Permission, may
from unmask.wording.units import duration

#: The rules that the page sets, each with the kind of its field.
NUMBERS = (
    "claim_minutes",
    "max_claims",
    "retention_days",
    "decided_retention_days",
    "stale_days",
)
SWITCHES = ("auto_answer", "hide_score", "allow_training")
CHOICES = ("second_opinion", "publishers")
_EVENTS = tuple(str(action) for action in Action)


async def settings(request: web.Request) -> web.Response:
    """The team's people and rules, and for admins its keys and webhooks."""
    return await _settings(request)


async def change(request: web.Request) -> web.Response:
    """Carry out one of the forms of the settings; what is shown once is shown on the answer."""
    values = await read_form(request)
    what = request.match_info["what"]
    if what not in _FORMS:
        raise UnmaskError("not_found", "There is nothing at this address.")
    try:
        if what in _LASTING:
            await require_fresh_admin(request)
        secret = await _FORMS[what](request, values)
    except UnmaskError as error:
        if error.status >= 500 or error.code == "not_allowed":
            raise
        return await _settings(request, error=error.as_json()["error"], status=error.status)
    if secret is not None:
        return await _settings(request, secret=secret)
    raise web.HTTPSeeOther(to(request, team_path(request, "/settings")))


async def statistics(request: web.Request) -> web.Response:
    """Throughput, time to a verdict, agreement, people against the machine."""
    days = request.query.get("days", "30")
    number = int(days) if days.isdecimal() and 0 < int(days) <= 3_650 else 30
    figures = await request.app[DESK].figures.of_team(request[TEAM_ACTOR], number)
    busiest = max((max(day.opened, day.decided, day.sightings) for day in figures.days), default=0)
    texts = texts_in(request[LANGUAGE])
    return await show_team(
        request,
        "statistics.html",
        figures=figures,
        days=number,
        top=axis_end(busiest),
        quartiles=[duration(texts, 3_600 * hours) for hours in figures.hours_to_verdict or ()],
    )


def axis_end(most: int) -> int:
    """The last number of an axis from 0 that has room for ``most``: 2, 4, 6, 8, 10, 20, 40 and so
    on, so that its half is a whole number as well."""
    step = 1
    while most > 10 * step:
        step *= 10
    return next(step * digit for digit in (2, 4, 6, 8, 10) if step * digit >= most)


async def notices(request: web.Request) -> web.Response:
    """What the person was told, newest first."""
    entries = await request.app[DESK].notices.list(request[TEAM_ACTOR], unread=False)
    return await show_team(request, "notices.html", notices=entries)


async def mark_read(request: web.Request) -> web.Response:
    """Mark all notices as read."""
    await request.app[DESK].notices.mark_read(request[TEAM_ACTOR])
    raise web.HTTPSeeOther(to(request, team_path(request, "/notices")))


async def _rules(request: web.Request, values: dict[str, Any]) -> None:
    chosen: dict[str, Any] = {name: values[name] for name in (*NUMBERS, *CHOICES) if name in values}
    chosen |= {name: values.get(name) == "on" for name in SWITCHES}
    await request.app[DESK].teams.edit(
        request[TEAM_ACTOR], name=values.get("name"), settings=chosen
    )


async def _digest(request: web.Request, values: dict[str, Any]) -> None:
    chosen: dict[str, Any] = {
        "digest": values.get("digest") == "on",
        "digest_chat": str(values.get("digest_chat", "")).strip() or None,
    }
    chosen |= {name: values[name] for name in ("digest_hour", "zone") if name in values}
    await request.app[DESK].teams.edit(request[TEAM_ACTOR], settings=chosen)


async def _invite(request: web.Request, values: dict[str, Any]) -> str:
    role = checked_fields(Invitation, values).role
    token = await request.app[DESK].links.invite(request[TEAM_ACTOR], role)
    return address(request, f"/join/{token}")


async def _role(request: web.Request, values: dict[str, Any]) -> None:
    role = checked_fields(NewRole, {"role": values.get("role")}).role
    await request.app[DESK].members.change_role(request[TEAM_ACTOR], _number(values), role)


async def _leave(request: web.Request, values: dict[str, Any]) -> None:
    await request.app[DESK].members.remove(request[TEAM_ACTOR], _number(values))


async def _reset(request: web.Request, values: dict[str, Any]) -> str:
    token = await request.app[DESK].links.reset(request[TEAM_ACTOR], _number(values))
    return address(request, f"/join/{token}")


async def _make_key(request: web.Request, values: dict[str, Any]) -> str:
    fields = checked_fields(NewKey, values)
    key, _ = await request.app[DESK].keys.create(
        request[TEAM_ACTOR], fields.name, fields.scopes, days=fields.days
    )
    return key


async def _revoke(request: web.Request, values: dict[str, Any]) -> None:
    await request.app[DESK].keys.revoke(request[TEAM_ACTOR], str(values.get("prefix", "")))


async def _make_webhook(request: web.Request, values: dict[str, Any]) -> str:
    fields = checked_fields(NewWebhook, values)
    secret, _ = await request.app[DESK].webhooks.create(
        request[TEAM_ACTOR], fields.url, fields.events
    )
    return secret


async def _switch_webhook(request: web.Request, values: dict[str, Any]) -> None:
    fields = checked_fields(WebhookChanges, {"active": values.get("active")})
    await request.app[DESK].webhooks.change(
        request[TEAM_ACTOR], _number(values), active=fields.active
    )


async def _rotate(request: web.Request, values: dict[str, Any]) -> str:
    return await request.app[DESK].webhooks.rotate(request[TEAM_ACTOR], _number(values))


async def _test(request: web.Request, values: dict[str, Any]) -> None:
    await request.app[DESK].webhooks.test(request[TEAM_ACTOR], _number(values))


async def _remove_webhook(request: web.Request, values: dict[str, Any]) -> None:
    await request.app[DESK].webhooks.remove(request[TEAM_ACTOR], _number(values))


#: The forms of the settings by name. One that returns something shows it once.
_FORMS: dict[str, Any] = {
    "rules": _rules,
    "digest": _digest,
    "invite": _invite,
    "role": _role,
    "leave": _leave,
    "reset": _reset,
    "key": _make_key,
    "revoke": _revoke,
    "webhook": _make_webhook,
    "switch": _switch_webhook,
    "rotate": _rotate,
    "test": _test,
    "remove-webhook": _remove_webhook,
}


#: Forms that make, or widen, what lets somebody in.
_LASTING = {"invite", "role", "reset", "key"}


@cache
def _zones() -> tuple[str, ...]:
    """The names of time zones that the form offers."""
    return tuple(sorted(available_timezones()))


def _number(values: dict[str, Any]) -> int:
    text = str(values.get("id", ""))
    if not text.isdecimal() or len(text) > 18:
        raise UnmaskError("bad_request", "The id is missing.", field="id")
    return int(text)


async def _settings(
    request: web.Request,
    error: dict[str, Any] | None = None,
    secret: str | None = None,
    status: int = 200,
) -> web.Response:
    desk, actor = request.app[DESK], request[TEAM_ACTOR]
    manages = may(actor, Permission.MANAGE_TEAM)
    return await show_team(
        request,
        "settings.html",
        status,
        members=await desk.members.list(actor),
        keys=await desk.keys.list(actor) if manages else [],
        webhooks=await desk.webhooks.all(actor) if manages else [],
        deliveries=(await desk.webhooks.deliveries(actor))[:20] if manages else [],
        # the chain is read whole, so only when somebody asks
        verification=await desk.history.verify(actor) if "verify" in request.query else None,
        events=_EVENTS,
        digest_day=await desk.digests.last(actor) if manages else None,
        zones=_zones() if manages else (),
        manages=manages,
        error=error,
        secret=secret,
    )
