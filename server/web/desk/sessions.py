"""The session of a member of a team in the browser, and where the person goes on."""

from __future__ import annotations

import re
from typing import TypeVar

from aiohttp import web

from desk.accounts.sessions import LIFETIME
from server.context import ACTOR, ADDRESS, DESK, person_cookie_of
from server.web.secret_cookies import drop_cookie, give_cookie
from unmask.errors import UnmaskError

_LOCAL = re.compile(r"/(?!/)[A-Za-z0-9/_.~?=&%+-]*", re.ASCII)

Answer = TypeVar("Answer", bound=web.StreamResponse)


def local_path(text: str) -> str:
    """A path of this server that a person may be sent to; the desk if ``text`` is none."""
    return text if _LOCAL.fullmatch(text) else "/desk"


def person_of(request: web.Request) -> int:
    """The person who is signed in; raises ``sign_in_needed``."""
    person = request[ACTOR].person
    if person is None:
        raise UnmaskError("sign_in_needed", "Sign in for this.")
    return person.person_id


async def confirm_person(request: web.Request, password: str) -> int:
    """The person who is signed in, and who proves it before the ways in are changed; raises as
    :meth:`desk.accounts.Sessions.confirm` does, and ``sign_in_needed``."""
    person, token = person_of(request), request.cookies.get(person_cookie_of(request), "")
    await request.app[DESK].sessions.confirm(
        person, password, token=token, address=request[ADDRESS]
    )
    return person


async def begin_session(request: web.Request, person_id: int, answer: Answer) -> Answer:
    """The answer, with a new session of a person who was recognised."""
    user_agent = request.headers.get("User-Agent", "")
    token = await request.app[DESK].sessions.begin(person_id, user_agent)
    return await with_session(request, token, answer)


async def with_session(request: web.Request, token: str, answer: Answer) -> Answer:
    """The answer, which gives the browser a session; the one that it had before ends."""
    if before := request.cookies.get(person_cookie_of(request)):
        await request.app[DESK].sessions.end(before)
    seconds = int(LIFETIME.total_seconds())
    give_cookie(request, answer, person_cookie_of(request), token, seconds)
    return answer


def drop_session(request: web.Request, answer: Answer) -> Answer:
    """The answer, with which the browser forgets its session."""
    drop_cookie(request, answer, person_cookie_of(request))
    return answer
