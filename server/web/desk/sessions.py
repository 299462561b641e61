"""The session of a member of a team in the browser, and where the person goes on."""

from __future__ import annotations

import re
from typing import TypeVar

from aiohttp import web

from desk.accounts.sessions import LIFETIME
from server.context import ACTOR, DESK, person_cookie_of
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


async def begin_session(request: web.Request, person_id: int, answer: Answer) -> Answer:
    """The answer, with a new session of a person who was recognised."""
    user_agent = request.headers.get("User-Agent", "")
    token = await request.app[DESK].sessions.begin(person_id, user_agent)
    return with_session(request, token, answer)


def with_session(request: web.Request, token: str, answer: Answer) -> Answer:
    """The answer, which gives the browser a session."""
    seconds = int(LIFETIME.total_seconds())
    give_cookie(request, answer, person_cookie_of(request), token, seconds)
    return answer


def drop_session(request: web.Request, answer: Answer) -> Answer:
    """The answer, with which the browser forgets its session."""
    drop_cookie(request, answer, person_cookie_of(request))
    return answer
