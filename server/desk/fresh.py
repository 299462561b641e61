"""What lasts longer than a session, such as an invitation, needs one that was begun just now."""

from __future__ import annotations

from aiohttp import web

from server.context import DESK, TEAM_ACTOR, person_cookie_of
from unmask.errors import AGAIN, UnmaskError
from unmask.permissions import Permission, require


async def require_fresh_admin(request: web.Request) -> None:
    """Make sure that an admin acts who signed in a short while ago: an open session that somebody
    else has got hold of must not give that person another way in.

    Raises ``not_allowed``, and ``sign_in_needed`` (reason ``again``).
    """
    require(request[TEAM_ACTOR], Permission.MANAGE_TEAM)
    token = request.cookies.get(person_cookie_of(request), "")
    if not await request.app[DESK].sessions.is_fresh(token):
        raise UnmaskError("sign_in_needed", "Sign in again for this.", reason=AGAIN)
