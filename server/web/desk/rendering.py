"""Renders the desk's pages: who looks at them, and the words that all of them use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from desk.actors import DeskActor
from desk.vocabulary import HumanVerdict
from server.context import ACTOR, DESK, LANGUAGE, TEAM_ACTOR
from server.web.desk import texts
from server.web.rendering import PAGES, view_of
from server.web.texts import texts_in
from unmask.permissions import TEAM_ROLES, Permission, may

#: The words of the desk, by the name that templates know the table by.
TABLES: dict[str, Mapping[Any, str]] = {
    "state_words": texts.STATES,
    "human_words": texts.VERDICTS,
    "confidence_words": texts.CONFIDENCES,
    "dismissal_words": texts.DISMISSALS,
    "opinion_words": texts.OPINION_ROLES,
    "match_words": texts.MATCHES,
    "sort_words": texts.SORTS,
    "priority_words": texts.PRIORITIES,
    "role_words": texts.ROLES,
    "door_words": texts.DOORS,
    "why_words": texts.WHY_NONE,
    "second_words": texts.SECOND_OPINIONS,
    "publisher_words": texts.PUBLISHERS,
    "digest_words": texts.DIGEST_FAILURES,
    "erase_words": texts.ERASE_REASONS,
    "notice_words": texts.NOTICES,
    "action_words": texts.ACTIONS,
    "scope_words": texts.SCOPES,
    "identity_words": texts.IDENTITIES,
}
#: The marks of people's verdicts differ in shape, as the machine's do.
MARKS = {
    HumanVerdict.AUTHENTIC: "real",
    HumanVerdict.MANIPULATED: "fake",
    HumanVerdict.GENERATED: "fake",
    HumanVerdict.OUT_OF_CONTEXT: "unsure",
    HumanVerdict.CANNOT_TELL: "no_face",
}


def show(request: web.Request, template: str, status: int = 200, **values: Any) -> web.Response:
    """A page of the desk, or one on the way to it."""
    translate = texts_in(request[LANGUAGE]).gettext
    words = {
        name: {key: translate(text) for key, text in table.items()}
        for name, table in TABLES.items()
    }
    now = datetime.now(UTC)
    common = {"person": request[ACTOR].person, "now": now, "marks": MARKS, "roles": TEAM_ROLES}
    return request.app[PAGES].render(
        view_of(request), f"desk/{template}", status, **(words | common | values)
    )


async def show_team(
    request: web.Request, template: str, status: int = 200, **values: Any
) -> web.Response:
    """A page of a team's desk, with the team's name and the person's unread notices in its head."""
    actor: DeskActor = request[TEAM_ACTOR]
    desk = request.app[DESK]
    unread = await desk.notices.count_unread(actor) if may(actor, Permission.WATCH) else 0
    return show(
        request,
        template,
        status,
        team=await desk.teams.get(actor),
        actor=actor,
        unread=unread,
        allowed={permission.name: may(actor, permission) for permission in Permission},
        **values,
    )
