"""Submits the pictures of a request: each is counted, given room in the queue, and queued."""

from __future__ import annotations

import asyncio

from aiohttp import web

from server.api.body import JSON, MULTIPART, Options, idempotency_key, one_picture
from server.context import (
    ACTOR,
    ADDRESS,
    BACKPRESSURE,
    CHECKS,
    LANGUAGE,
    SETTINGS,
    UPLOADS,
    caller_of,
)
from unmask.images import open_picture
from unmask.report import Check, Door, Priority


class Submission:
    """The pictures of one request, on their way into the queue of the actor's team."""

    def __init__(self, request: web.Request, *, bulk: bool = False) -> None:
        self._request = request
        self._actor = request[ACTOR]
        self._bulk = bulk
        #: The pool of workers that has room for the latest picture.
        self._pool: str | None = None

    async def admit(self) -> None:
        """Count the first picture, and ask for room; raises ``rate_limited`` or ``busy``.

        This is done before the body is read, so that what would be refused is not sent in vain. If
        the body may name a team with workers of its own, :meth:`submit` asks for room instead.
        """
        await self._count()
        if not self._team_is_in_body():
            await self._ask_for_room(self._request.query.get("team"))

    async def admit_next(self, options: Options) -> None:
        """Count one more picture, and ask for room; raises ``rate_limited`` or ``busy``."""
        await self._count()
        await self._ask_for_room(options.team)

    async def take_one(self, door: Door | None = None) -> Check:
        """The check of the one picture that the request brings, by ``door`` if it is given."""
        uploads, caller = self._request.app[UPLOADS], caller_of(self._request)
        with uploads.upload(caller), uploads.holding(caller) as holding:
            data, options = await one_picture(self._request, holding.take)
            if door is not None:
                options = options.model_copy(update={"door": door})
            return await self.submit(data, options)

    async def submit(self, data: bytes, options: Options) -> Check:
        """The check of an admitted picture; raises as :func:`open_picture` and the queue do."""
        if self._pool is None:
            await self._ask_for_room(options.team)
        picture = await asyncio.to_thread(open_picture, data, self._request.app[SETTINGS])
        return await self._request.app[CHECKS].submit(
            picture,
            door=options.door,
            team=self._actor.team_for(options.team),
            bulk=self._bulk,
            idempotency_key=self._idempotency_key(),
            owner=caller_of(self._request),
            language=options.language or self._request[LANGUAGE],
        )

    async def _count(self) -> None:
        backpressure = self._request.app[BACKPRESSURE]
        await backpressure.count_picture(self._request[ADDRESS], self._actor.prefix)

    async def _ask_for_room(self, team: str | None) -> None:
        pool = self._request.app[CHECKS].pool_of(self._actor.team_for(team))
        priority = Priority.BULK if self._bulk else Priority.INTERACTIVE
        await self._request.app[BACKPRESSURE].require_room(pool, priority, caller_of(self._request))
        self._pool = pool

    def _team_is_in_body(self) -> bool:
        """Whether the body may name a team, and the queue to use depends on the team."""
        if not self._request.app[SETTINGS].team_pools or self._actor.team is not None:
            return False
        return self._request.content_type in ({JSON} if self._bulk else {JSON, MULTIPART})

    def _idempotency_key(self) -> str | None:
        """The key that the client sent, so that no other API key meets its check."""
        key = None if self._bulk else idempotency_key(self._request)
        if key is None or self._actor.prefix is None:
            return key
        return f"{self._actor.prefix}:{key}"
