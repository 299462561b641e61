"""The page of the queue: cases that wait, and what to do with many of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel, Field

from desk.queue import BulkAction, CaseFilter, CasePage
from desk.queue.pages import Counts
from desk.vocabulary import OPEN_STATES, DismissReason
from server.context import DESK, PRESENCE, TEAM_ACTOR
from server.desk.cases import filter_of, paging_of
from server.desk.fields import CaseNumber, RowId, checked_fields, read_fields, read_form
from server.web.desk.addresses import team_path, to
from server.web.desk.rendering import show_team
from unmask.errors import UnmaskError
from unmask.i18n import gettext_noop

_DECIDED = {"state": "decided", "sort": "decided"}
_OVERRULED = {"state": ["decided", "published"], "overruled": "true", "sort": "decided"}
#: The tabs above the queue: a name, its words, and its filter as a query.
TABS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("open", gettext_noop("Open cases"), {}),
    ("mine", gettext_noop("Mine"), {"mine": "true"}),
    ("second", gettext_noop("Second opinions"), {"second_for_me": "true"}),
    ("decided", gettext_noop("Decided"), _DECIDED),
    ("published", gettext_noop("Published"), {"state": "published", "sort": "decided"}),
    ("overruled", gettext_noop("Overruled"), _OVERRULED),
    ("dismissed", gettext_noop("Dismissed"), {"state": "dismissed", "sort": "newest"}),
)
#: Cases on a page.
LIMIT = 50


class Chosen(BaseModel):
    """The cases that a person ticked; ``all`` are those of the filter, of which ``expected`` were
    shown."""

    case: tuple[CaseNumber, ...] = Field((), max_length=500)
    all: bool = False
    expected: int = Field(0, ge=0, le=10**9)


class FilterName(BaseModel):
    """The name of a filter that is saved; ``for_team`` shows it to everybody."""

    name: str = ""
    for_team: bool = False


class FilterChoice(BaseModel):
    """One of the saved filters."""

    filter: RowId


async def page(request: web.Request) -> web.Response:
    """The queue, by the filter in the query."""
    return await _page(request)


async def claim_next(request: web.Request) -> web.Response:
    """Claim the next case and open it; or say why there is none."""
    wanted = filter_of(request)
    chosen = await request.app[DESK].next.claim(request[TEAM_ACTOR], wanted)
    if chosen.case is not None:
        raise web.HTTPSeeOther(to(request, team_path(request, f"/{chosen.case.number}")))
    return await _page(request, no_next=chosen)


async def change_many(request: web.Request) -> web.Response:
    """Do something with the cases that are ticked, or with all of the filter."""
    values = await read_form(request)
    action, chosen = _bulk_action(values), checked_fields(Chosen, values)
    outcome = await request.app[DESK].bulk.run(
        request[TEAM_ACTOR],
        action,
        numbers=() if chosen.all else chosen.case,
        wanted=filter_of(request) if chosen.all else None,
        expected=chosen.expected if chosen.all else None,
    )
    return await _page(request, outcome=outcome)


async def save_filter(request: web.Request) -> web.Response:
    """Save the filter and the order of the query under a name."""
    fields, sort = await read_fields(request, FilterName), paging_of(request).sort
    await request.app[DESK].filters.save(
        request[TEAM_ACTOR], fields.name, filter_of(request), sort, for_team=fields.for_team
    )
    raise web.HTTPSeeOther(to(request, team_path(request, f"?{request.query_string}")))


async def remove_filter(request: web.Request) -> web.Response:
    """Remove a saved filter."""
    fields = await read_fields(request, FilterChoice)
    await request.app[DESK].filters.delete(request[TEAM_ACTOR], fields.filter)
    raise web.HTTPSeeOther(to(request, team_path(request, f"?{request.query_string}")))


async def rows(request: web.Request) -> web.Response:
    """The rows of the page alone, for a page that is already there: asked for at each change, so
    nothing else is read."""
    cases = await _cases(request)
    return await show_team(request, "_rows.html", cases=cases, people=await _people(request))


def _bulk_action(values: Mapping[str, Any]) -> BulkAction:
    """What a form chose to do; raises ``bad_request``."""
    what, text = values.get("do", ""), str(values.get("tag", "")).strip()
    chosen: dict[str, Any] = {
        "claim": {"claim": True},
        "release": {"release": True},
        "watch": {"watch": True},
        "tag": {"add_tags": [text] if text else []},
        "untag": {"remove_tags": [text] if text else []},
        **{f"priority-{level}": {"priority": level} for level in range(4)},
        **{f"dismiss-{reason}": {"dismiss": reason} for reason in DismissReason},
    }
    if what not in chosen:
        raise UnmaskError("bad_request", "Choose what to do.", field="do")
    return checked_fields(BulkAction, chosen[what])


async def _cases(request: web.Request) -> CasePage:
    """The page of cases that the query asks for."""
    paging = paging_of(request)
    return await request.app[DESK].queue.page(
        request[TEAM_ACTOR],
        filter_of(request),
        paging.sort,
        cursor=paging.cursor,
        limit=LIMIT,
    )


async def _page(request: web.Request, **values: Any) -> web.Response:
    desk, actor = request.app[DESK], request[TEAM_ACTOR]
    wanted, paging = filter_of(request), paging_of(request)
    cases = await _cases(request)
    counts = await desk.queue.counts(actor)
    return await show_team(
        request,
        "queue.html",
        cases=cases,
        total=await desk.queue.count(actor, wanted),
        counts=counts,
        people=await _people(request),
        tabs=_tabs(wanted, counts),
        filter=wanted,
        sort=paging.sort,
        query=request.query_string,
        more=_query(request, cursor=cases.cursor) if cases.cursor else None,
        saved=[
            (record, _as_query(record.filter, record.sort))
            for record in await desk.filters.list(actor)
        ],
        tags=await desk.editing.tags(actor),
        **({"no_next": None, "outcome": None} | values),
    )


async def _people(request: web.Request) -> dict[int, list[str]]:
    """Who has which case open, besides the reader; nobody where Redis cannot tell."""
    actor = request[TEAM_ACTOR]
    try:
        here = await request.app[PRESENCE].here(actor)
    except UnmaskError:
        return {}
    return {
        case: [person.name for person in people if person.id != actor.person_id]
        for case, people in here.items()
    }


def _tabs(wanted: CaseFilter, counts: Counts) -> list[dict[str, Any]]:
    """The tabs, each with its address and whether it is the one that is open."""
    numbers = {str(state): number for state, number in counts.states.items()}
    numbers["open"] = sum(counts.states[state] for state in OPEN_STATES)
    numbers |= {"mine": counts.mine, "second": counts.second_for_me}
    return [
        {
            "name": name,
            "text": text,
            "href": "?" + urlencode(query, doseq=True),
            "current": _filter_in(query) == wanted,
            "number": numbers.get(name),
        }
        for name, text, query in TABS
    ]


def _filter_in(query: Mapping[str, Any]) -> CaseFilter:
    """The filter of a tab's query."""
    values = {name: value for name, value in _listed(query).items() if name != "sort"}
    return checked_fields(CaseFilter, values)


def _listed(query: Mapping[str, Any]) -> dict[str, Any]:
    """A query with the field ``state`` as a list."""
    state = query.get("state")
    return {**query, "state": [state] if isinstance(state, str) else state or []}


def _query(request: web.Request, **changed: str | None) -> str:
    pairs = [(name, text) for name, text in request.query.items() if name not in changed]
    return "?" + urlencode([*pairs, *((name, text) for name, text in changed.items() if text)])


def _as_query(wanted: CaseFilter, sort: str) -> str:
    values = wanted.model_dump(mode="json", exclude_defaults=True) | {"sort": str(sort)}
    plain = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in values.items()
    }
    return "?" + urlencode(plain, doseq=True)
