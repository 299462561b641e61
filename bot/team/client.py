"""Asks the server for what one team's desk knows, and sends it checks and what people do, with the
team's key. What a linked person does is asked for with the token of the person's link too."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Self

import aiohttp
from pydantic import BaseModel, ValidationError

from unmask.errors import SettingsError
from unmask.settings import Settings

_log = logging.getLogger(__name__)
#: An answer to a user waits for the desk no longer than this, in seconds.
_LOOK_UP, _SEND = 5.0, 40.0
#: Seconds that the server may wait for the end of a check that is sent.
_WAIT = 30
#: Most pictures of one question, and most cases of one list.
_MOST, _LISTED = 50, 10
#: The header with the token of the link of the person for whom the bot acts.
_LINK = "Unmask-Link"


class Trouble(StrEnum):
    """Why the desk did not do what it was asked."""

    AWAY = "away"  # it does not answer, or not now
    UNKNOWN = "unknown"  # there is no such check or case
    REFUSED = "refused"  # the key is not valid, or does not allow it
    UNLINKED = "unlinked"  # the link is of no member of the team, or no longer
    NOT_ALLOWED = "not_allowed"  # the person's role does not allow it
    CONFLICT = "conflict"  # the case is another person's, or has changed
    CLAIM_LIMIT = "claim_limit"  # the person holds as many cases as the team allows
    OPINION_OF_ANOTHER = "opinion_of_another"  # the opinion must be another person's
    BAD_CODE = "bad_code"  # the code of a link is none, or no longer
    TOO_OFTEN = "too_often"  # too many tries


_TROUBLES = {
    "sign_in_needed": Trouble.UNLINKED,
    "not_allowed": Trouble.NOT_ALLOWED,
    "conflict": Trouble.CONFLICT,
    "claim_limit": Trouble.CLAIM_LIMIT,
    "second_opinion_due": Trouble.OPINION_OF_ANOTHER,
    "link_invalid": Trouble.BAD_CODE,
    "rate_limited": Trouble.TOO_OFTEN,
}


class DeskError(Exception):
    """The desk did not do what it was asked; ``detail`` is that of the error."""

    def __init__(self, trouble: Trouble, detail: Mapping[str, Any] | None = None) -> None:
        super().__init__(trouble)
        self.trouble = trouble
        self.detail = dict(detail or {})


class TeamAnswer(BaseModel):
    """A case that the team has on a picture; ``verdict`` is there if the case answers with it."""

    case: int
    picture: str
    verdict: str | None = None
    confidence: str | None = None
    decided_at: datetime | None = None


class SentCase(BaseModel):
    """The case that a check joined; None while the check has not ended, or if it failed."""

    case: int | None = None
    answer: TeamAnswer | None = None


class TeamCase(BaseModel):
    """How a case stands; ``suspicion`` is the machine's per cent, -1 without a face."""

    number: int
    state: str
    version: int = 0
    review: str = "none"
    verdict: str | None = None
    title: str = ""
    claimed_until: datetime | None = None
    suspicion: int = -1
    machine_verdict: str = ""
    sightings: int = 1
    sensitive: bool = False
    picture: int | None = None


class NextCase(BaseModel):
    """The case that the person holds now; or None, with the reason, and how many cases others
    hold, or wait for ``another`` person's opinion."""

    case: TeamCase | None = None
    why: str | None = None
    claimed: int = 0
    another: int = 0


class Counts(BaseModel):
    """How many cases are in each state; how many the person holds, and may give an opinion on."""

    states: dict[str, int] = {}
    mine: int = 0
    second_for_me: int = 0


class Rules(BaseModel):
    """The rules of a team that the bot keeps to."""

    second_opinion: str = "never"
    hide_score: bool = False


class TeamFacts(BaseModel):
    """A team: its name, and its rules."""

    name: str
    settings: Rules = Rules()


class Standing(BaseModel):
    """Who a person is in the team."""

    name: str
    role: str
    token: str = ""


class DigestCase(BaseModel):
    """A case that the digest names."""

    number: int
    title: str = ""
    since: datetime


class Digest(BaseModel):
    """What a team is told of a day; see ``desk/outgoing/digest.py``."""

    day: date
    chat: int
    team: str
    locale: str
    new: int
    claimed: int
    second: int
    overdue: int
    opened: int
    decided: dict[str, int]
    second_cases: tuple[DigestCase, ...] = ()
    overdue_cases: tuple[DigestCase, ...] = ()
    oldest: DigestCase | None = None
    entries: int
    head: str


class TeamDesk:
    """The desk of the team that the key belongs to. Methods raise :class:`DeskError`.

    ``link`` is the token of the person for whom the bot acts; without it the bot acts by its key.
    """

    def __init__(self, url: str, key: str, pages: str = "") -> None:
        self._url = url.rstrip("/")
        self._pages = (pages or url).rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"}
        self._session: aiohttp.ClientSession | None = None
        self._slug = ""

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """The desk that the settings name; None if they name none. Raises
        :class:`SettingsError` if they name half of one."""
        url, secret = settings.bot_desk_url, settings.bot_desk_key
        key = secret.get_secret_value() if secret else ""
        if not url and not key:
            return None
        if not key or not url.startswith(("http://", "https://")):
            message = "UNMASK_BOT_DESK_URL (http or https) and UNMASK_BOT_DESK_KEY go together."
            raise SettingsError(message)
        return cls(url, key, settings.public_url)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def look_up(
        self, sha256s: Sequence[str], link: str | None = None
    ) -> dict[str, TeamAnswer]:
        """What the team says of files, by their SHA-256; empty if the desk does not answer, for no
        picture's answer may fail because of that."""
        try:
            asked = {"sha256": list(dict.fromkeys(sha256s))[:_MOST]}
            told = await self._ask("POST", "/lookup", _LOOK_UP, asked, link)
            answers = told.get("answers", {})
            return {name: TeamAnswer.model_validate(value) for name, value in answers.items()}
        except (DeskError, ValidationError) as error:
            _log.warning("the team was not asked", extra={"why": type(error).__name__})
            return {}

    async def send(self, check: str, channel: str | None, link: str | None = None) -> SentCase:
        """Send a check to the team; ``channel`` is the name of the chat. The same check gives the
        same case again."""
        source = {"door": "telegram"} | ({"channel": channel[:200]} if channel else {})
        body = {"check": check, "source": source, "wait": _WAIT}
        return SentCase.model_validate(await self._ask("POST", "/cases", _SEND, body, link))

    async def case(self, number: int, link: str | None = None) -> TeamCase:
        """How a case stands."""
        told = await self._ask("GET", f"/cases/{number}", _LOOK_UP, link=link)
        return TeamCase.model_validate(told.get("case", told))

    async def facts(self, link: str | None = None) -> TeamFacts:
        """The team."""
        return TeamFacts.model_validate(await self._ask("GET", "", _LOOK_UP, link=link))

    async def standing(self, link: str) -> Standing:
        """Who a linked person is in the team."""
        return Standing.model_validate(await self._ask("GET", "/me", _LOOK_UP, link=link))

    async def counts(self, link: str | None = None) -> Counts:
        """How many cases are in which state, and how many are the person's."""
        return Counts.model_validate(await self._ask("GET", "/counts", _LOOK_UP, link=link))

    async def mine(self, link: str) -> list[TeamCase]:
        """The cases that a person holds, at most ten."""
        path = f"/cases?mine=true&limit={_LISTED}"
        told = await self._ask("GET", path, _LOOK_UP, link=link)
        return [TeamCase.model_validate(case) for case in told.get("cases", [])]

    async def claim_next(self, link: str, once: str) -> NextCase:
        """Claim the best open case for a person, or learn why there is none. The same ``once``
        claims no second one."""
        told = await self._ask("POST", "/next", _LOOK_UP, link=link, once=once)
        return NextCase.model_validate(told)

    async def picture(self, case: TeamCase, name: str, link: str) -> bytes | None:
        """A file of a case's picture, such as ``annotated.jpg``; None if there is none."""
        try:
            path = await self._path(f"/cases/{case.number}/pictures/{case.picture}/{name}")
            async with self._open("GET", path, _SEND, None, link) as answer:
                return await answer.read() if answer.status == 200 else None
        except (TimeoutError, aiohttp.ClientError, DeskError):
            return None

    async def judge(
        self, action: str, case: TeamCase, opinion: object, link: str, once: str
    ) -> TeamCase:
        """Give a person's opinion on a case, as it was read: ``decide``, ``second``, ``settle``.
        With the same ``once`` nothing more is given: the case is answered as it stands."""
        path = f"/cases/{case.number}/{action}"
        return TeamCase.model_validate(await self._ask("POST", path, _LOOK_UP, opinion, link, once))

    async def link(self, code: str, account: str, bot: str, token: str) -> Standing:
        """Link a chat account to the person who made a code. ``token`` becomes that of the link;
        where it is one already, the answer is the same."""
        body = {"code": code[:64], "account": account, "bot": bot, "token": token}
        return Standing.model_validate(await self._ask("POST", "/linked", _LOOK_UP, body))

    async def void(self, code: str, account: str) -> None:
        """Make a code useless that others may have read."""
        body = {"code": code[:64], "account": account, "void": True}
        await self._ask("POST", "/linked", _LOOK_UP, body)

    async def unlink(self, link: str) -> None:
        """End a link."""
        await self._ask("POST", "/linked/end", _LOOK_UP, {"token": link})

    async def take_digest(self, holder: str) -> Digest | None:
        """The digest that this bot has to bring to the team's chat now, if there is one."""
        told = await self._ask("POST", "/digest", _LOOK_UP, {"holder": holder})
        return Digest.model_validate(told["digest"]) if told.get("digest") else None

    async def end_digest(self, holder: str, day: date, failure: str | None = None) -> None:
        """Say that a digest was sent, or why it cannot be."""
        body = {"holder": holder, "day": day.isoformat(), "failure": failure}
        await self._ask("POST", "/digest/end", _LOOK_UP, body)

    async def page_of(self, number: int) -> str:
        """The address of a case's page."""
        return f"{self._pages}/t/{await self._team()}/{number}"

    async def queue_page(self) -> str:
        """The address of the team's queue."""
        return f"{self._pages}/t/{await self._team()}"

    @property
    def account_page(self) -> str:
        """The address of the page on which people make the codes of links."""
        return f"{self._pages}/account"

    async def _team(self) -> str:
        if not self._slug:
            told = await self._call("GET", "/v1/key", _LOOK_UP)
            if not told.get("team"):
                raise DeskError(Trouble.REFUSED)
            self._slug = str(told["team"])
        return self._slug

    async def _ask(
        self,
        method: str,
        path: str,
        seconds: float,
        body: object = None,
        link: str | None = None,
        once: str | None = None,
    ) -> dict[str, Any]:
        return await self._call(method, await self._path(path), seconds, body, link, once)

    async def _path(self, path: str) -> str:
        return f"/v1/teams/{await self._team()}{path}"

    def _open(
        self,
        method: str,
        path: str,
        seconds: float,
        body: object,
        link: str | None,
        once: str | None = None,
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=self._headers)
        headers = {_LINK: link, "Idempotency-Key": once}
        return self._session.request(
            method,
            self._url + path,
            json=body,
            timeout=aiohttp.ClientTimeout(total=seconds),
            headers={name: value for name, value in headers.items() if value},
            allow_redirects=False,
        )

    async def _call(
        self,
        method: str,
        path: str,
        seconds: float,
        body: object = None,
        link: str | None = None,
        once: str | None = None,
    ) -> dict[str, Any]:
        try:
            async with self._open(method, path, seconds, body, link, once) as answer:
                if answer.status >= 300:
                    raise await _refusal(answer)
                told = await answer.json()
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            raise DeskError(Trouble.AWAY) from error
        if not isinstance(told, dict):
            raise DeskError(Trouble.AWAY)
        return told


async def _refusal(answer: aiohttp.ClientResponse) -> DeskError:
    """What an answer that is no success means: by its code, or by its status where something
    before the server answers in words of its own."""
    try:
        error = (await answer.json())["error"]
        trouble = _TROUBLES.get(error["code"])
        if trouble is not None:
            return DeskError(trouble, error.get("detail"))
    except (aiohttp.ClientError, ValueError, KeyError, TypeError):
        pass
    if answer.status == 404:
        return DeskError(Trouble.UNKNOWN)
    is_refusal = answer.status in (400, 401, 403)
    return DeskError(Trouble.REFUSED if is_refusal else Trouble.AWAY)
