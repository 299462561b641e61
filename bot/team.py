"""Asks the server for what one team's desk knows, and sends checks to it, with the team's key."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
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
#: Most pictures of one question.
_MOST = 50


class Trouble(StrEnum):
    """Why the desk did not do what it was asked."""

    AWAY = "away"  # it does not answer, or not now
    UNKNOWN = "unknown"  # there is no such check or case
    REFUSED = "refused"  # the key is not valid, or does not allow it


class DeskError(Exception):
    """The desk did not do what it was asked."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble = trouble


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
    """How a case stands."""

    number: int
    state: str
    verdict: str | None = None
    title: str = ""


class TeamDesk:
    """The desk of the team that the key belongs to. Methods raise :class:`DeskError`."""

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

    async def look_up(self, sha256s: Sequence[str]) -> dict[str, TeamAnswer]:
        """What the team says of files, by their SHA-256; empty if the desk does not answer, for no
        picture's answer may fail because of that."""
        try:
            asked = {"sha256": list(dict.fromkeys(sha256s))[:_MOST]}
            told = await self._ask("POST", "/lookup", _LOOK_UP, asked)
            answers = told.get("answers", {})
            return {name: TeamAnswer.model_validate(value) for name, value in answers.items()}
        except (DeskError, ValidationError) as error:
            _log.warning("the team was not asked", extra={"why": type(error).__name__})
            return {}

    async def send(self, check: str, channel: str | None) -> SentCase:
        """Send a check to the team; ``channel`` is the name of the chat. The same check gives the
        same case again."""
        source = {"door": "telegram"} | ({"channel": channel[:200]} if channel else {})
        body = {"check": check, "source": source, "wait": _WAIT}
        return SentCase.model_validate(await self._ask("POST", "/cases", _SEND, body))

    async def case(self, number: int) -> TeamCase:
        """How a case stands."""
        told = await self._ask("GET", f"/cases/{number}", _LOOK_UP)
        return TeamCase.model_validate(told.get("case", told))

    async def page_of(self, number: int) -> str:
        """The address of a case's page."""
        return f"{self._pages}/t/{await self._team()}/{number}"

    async def _team(self) -> str:
        if not self._slug:
            told = await self._call("GET", "/v1/key", _LOOK_UP)
            if not told.get("team"):
                raise DeskError(Trouble.REFUSED)
            self._slug = str(told["team"])
        return self._slug

    async def _ask(
        self, method: str, path: str, seconds: float, body: object = None
    ) -> dict[str, Any]:
        return await self._call(method, f"/v1/teams/{await self._team()}{path}", seconds, body)

    async def _call(
        self, method: str, path: str, seconds: float, body: object = None
    ) -> dict[str, Any]:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=self._headers)
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with self._session.request(
                method, self._url + path, json=body, timeout=timeout, allow_redirects=False
            ) as answer:
                if answer.status >= 300:
                    raise DeskError(_trouble(answer.status))
                told = await answer.json()
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            raise DeskError(Trouble.AWAY) from error
        if not isinstance(told, dict):
            raise DeskError(Trouble.AWAY)
        return told


def _trouble(status: int) -> Trouble:
    if status == 404:
        return Trouble.UNKNOWN
    return Trouble.REFUSED if status in (400, 401, 403) else Trouble.AWAY
