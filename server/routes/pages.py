"""The routes of the page; they are not part of the API, and so have no description."""

from __future__ import annotations

from server.routes.route import ID, Route
from server.web import pages, session
from server.web.desk import (
    account,
    case,
    joining,
    linked,
    passkeys,
    provider,
    public,
    queue,
    sign_in,
    team,
)
from unmask.permissions import Permission

PAGES = (
    Route("GET", "/", pages.home),
    Route("POST", "/check", pages.create, needs=Permission.CREATE_CHECK),
    Route("GET", f"/c/{ID}", pages.check),
    Route("GET", f"/c/{ID}/card", pages.card),
    Route("GET", f"/c/{ID}/metadata", pages.metadata, needs=Permission.READ_METADATA),
    Route("GET", "/reference", pages.reference),
    Route("GET", "/static/{name}", pages.static),
    Route("POST", "/session", session.begin),
    Route("POST", "/session/end", session.end),
)

#: The pages of a team's desk. Each team has its own, so a link means the same to all who follow it.
_TEAM = "/t/{team:[a-z0-9][a-z0-9-]{0,39}}"
_CASE = _TEAM + "/{number:[1-9][0-9]{0,8}}"
_METADATA = _CASE + "/pictures/{picture:[1-9][0-9]{0,17}}/metadata"
_READ, _LINK = Permission.READ_CASES, "/join/{token:[A-Za-z0-9_-]{43}}"
_REPORT = "/r/{slug:[A-Za-z0-9_-]{22}}"

DESK_PAGES = (
    Route("GET", "/desk", sign_in.desk_home),
    Route("GET", "/sign-in", sign_in.sign_in_page),
    Route("POST", "/sign-in", sign_in.sign_in),
    Route("POST", "/sign-in/passkey/options", passkeys.options_to_sign_in),
    Route("POST", "/sign-in/passkey", passkeys.sign_in),
    Route("POST", "/login/oidc", provider.begin),
    Route("GET", "/login/oidc", provider.finish),
    Route("POST", "/sign-out", sign_in.sign_out),
    Route("GET", "/account", account.page),
    Route("POST", "/account/password", account.change_password),
    Route("POST", "/account/sessions", account.end_session),
    Route("POST", "/account/linked", linked.make_code),
    Route("GET", "/account/linked", account.page),
    Route("POST", "/account/linked/end", linked.end_link),
    Route("POST", "/account/passkeys/options", passkeys.options_to_register),
    Route("POST", "/account/passkeys", passkeys.register),
    Route("POST", "/account/rename", account.rename_identity),
    Route("POST", "/account/remove", account.remove_identity),
    Route("GET", "/account/{what:password|rename|remove}", account.page),
    Route("GET", _LINK, joining.page),
    Route("POST", _LINK, joining.use),
    Route("GET", _TEAM, queue.page, needs=_READ),
    Route("GET", f"{_TEAM}/rows", queue.rows, needs=_READ),
    Route("POST", f"{_TEAM}/next", queue.claim_next, needs=Permission.WORK_ON_CASE),
    Route("POST", f"{_TEAM}/bulk", queue.change_many, needs=Permission.CHANGE_MANY),
    Route("POST", f"{_TEAM}/filters", queue.save_filter, needs=Permission.SAVE_FILTER),
    Route("POST", f"{_TEAM}/filters/remove", queue.remove_filter, needs=Permission.SAVE_FILTER),
    Route("POST", _TEAM + "/send/{check:[0-9a-f]{32}}", case.send, needs=Permission.SEND_CASE),
    # where a form was answered with a page: reloading, or choosing a language, shows it again
    Route("GET", f"{_TEAM}/next", queue.page, needs=_READ),
    Route("GET", f"{_TEAM}/bulk", queue.page, needs=_READ),
    Route("GET", _TEAM + "/settings/{what:[a-z-]+}", team.settings, needs=_READ),
    Route("GET", _CASE + "/{action:[a-z-]+}", case.page, needs=_READ),
    Route("GET", f"{_TEAM}/statistics", team.statistics, needs=_READ),
    Route("GET", f"{_TEAM}/notices", team.notices, needs=Permission.WATCH),
    Route("POST", f"{_TEAM}/notices", team.mark_read, needs=Permission.WATCH),
    Route("GET", f"{_TEAM}/settings", team.settings, needs=_READ),
    # which permission each form needs, the desk asks
    Route("POST", _TEAM + "/settings/{what:[a-z-]+}", team.change, needs=_READ),
    Route("GET", _CASE, case.page, needs=_READ),
    Route("GET", _METADATA, case.metadata, needs=Permission.READ_METADATA),
    Route("POST", f"{_CASE}/edit", case.edit, needs=Permission.EDIT_CASE),
    Route("POST", f"{_CASE}/comment", case.comment, needs=Permission.COMMENT),
    Route("POST", f"{_CASE}/remove-comment", case.remove_comment, needs=Permission.COMMENT),
    Route("POST", f"{_CASE}/watch", case.watch, needs=Permission.WATCH),
    Route("POST", f"{_CASE}/split", case.split, needs=Permission.WORK_ON_CASE),
    Route("POST", f"{_CASE}/erase", case.erase, needs=Permission.DELETE_CASE),
    Route("POST", _CASE + "/{action:[a-z-]+}", case.act, needs=_READ),
    Route("GET", _REPORT, public.page),
    Route("GET", f"{_REPORT}.json", public.as_json),
    Route("GET", f"{_REPORT}.pdf", public.as_pdf),
    Route("GET", f"{_REPORT}/picture.jpg", public.picture),
)
