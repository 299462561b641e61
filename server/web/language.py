"""The language that a person reads: chosen on the page, or the browser's.

``?lang=`` names it, and the answer keeps it in a cookie; without either, ``Accept-Language`` does.
"""

from __future__ import annotations

from aiohttp import web

from unmask.i18n import DEFAULT, LANGUAGES, language_of

PARAMETER, COOKIE = "lang", "unmask_language"
#: Seconds for which a browser keeps the choice: a year.
LIFETIME = 365 * 86_400
#: Languages that a browser may list; the rest is not read.
MAX_LISTED = 20


def language_wanted(request: web.Request) -> str:
    """The language for the answer to a request."""
    for choice in (request.query.get(PARAMETER), request.cookies.get(COOKIE)):
        if choice in LANGUAGES:
            return str(choice)
    return accepted_language(request.headers.get("Accept-Language", ""))


def accepted_language(header: str) -> str:
    """The first language of ours in ``Accept-Language``, by its weights; else English."""
    weighted = []
    for entry in header.split(",")[:MAX_LISTED]:
        tag, _, weight = entry.partition(";")
        try:
            weighted.append((float(weight.strip().removeprefix("q=") or 1), tag.strip()))
        except ValueError:
            continue
    weighted.sort(key=lambda pair: -pair[0])
    return language_of(DEFAULT if tag == "*" else tag for weight, tag in weighted if weight > 0)


def keep_choice(request: web.Request, response: web.StreamResponse, https: bool) -> None:
    """Let the browser keep a language that the request names and that it does not hold yet.

    The page's script may write the cookie too (static/language.js), so that it can keep what the
    page shows.
    """
    choice = request.query.get(PARAMETER)
    if choice in LANGUAGES and choice != request.cookies.get(COOKIE):
        response.set_cookie(
            COOKIE, str(choice), max_age=LIFETIME, path="/", samesite="Lax", secure=https
        )
