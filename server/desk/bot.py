"""The team's bot over the API: accounts that people link to it, and the digest that it brings."""

from __future__ import annotations

from datetime import date

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from desk.vocabulary import DigestFailure
from server.api.responses import json_response
from server.context import TEAM_ACTOR
from server.desk.cases import desk_of
from server.desk.fields import read_fields
from server.desk.responses import done, model_response
from unmask.permissions import Role


class Standing(BaseModel):
    """Who sends the request, and in which team: a person's name and role, or a key's name."""

    team: str
    team_name: str
    name: str
    role: Role


class Linking(BaseModel):
    """A code that a person sent to the bot. ``account`` is any name of the person's chat account:
    tries are counted by it, and it is not kept. ``bot`` is the bot's name, for the person to see.
    ``token`` is one that the bot made (32 random bytes in base64url) and keeps until it knows the
    answer: the same request may then come again, and makes one link; without it the desk makes one.
    With ``void`` the code is only made useless, as one that others may have read."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(min_length=1, max_length=64)
    account: str = Field(min_length=1, max_length=100)
    bot: str = Field("", max_length=100)
    token: str | None = Field(None, pattern="^[A-Za-z0-9_-]{43}$")
    void: bool = False


class Unlinking(BaseModel):
    """The token of a link that ends."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(min_length=1, max_length=100)


class Taking(BaseModel):
    """Which bot asks for the digest: any name that it keeps."""

    model_config = ConfigDict(extra="forbid")

    holder: str = Field(min_length=1, max_length=40)


class DigestOutcome(BaseModel):
    """How the digest of a day went; without ``failure`` it was sent."""

    model_config = ConfigDict(extra="forbid")

    holder: str = Field(min_length=1, max_length=40)
    day: date
    failure: DigestFailure | None = None


async def read_standing(request: web.Request) -> web.Response:
    """Who sends the request: the person, or the key, and its team."""
    actor = request[TEAM_ACTOR]
    team = await desk_of(request).teams.get(actor)
    return model_response(
        Standing(team=team.slug, team_name=team.name, name=actor.name, role=actor.role)
    )


async def link_account(request: web.Request) -> web.Response:
    """Link a chat account to the person who made the code. The token that is answered, sent as
    ``Unmask-Link`` beside the key, acts for that person from then on."""
    fields, linked = await read_fields(request, Linking), desk_of(request).linked
    if fields.void:
        await linked.void(request[TEAM_ACTOR], fields.code)
        return done()
    person = await linked.link(
        request[TEAM_ACTOR], fields.code, fields.account, fields.bot, fields.token
    )
    return model_response(person, 201)


async def unlink_account(request: web.Request) -> web.Response:
    """End a link; also one that has ended already."""
    fields = await read_fields(request, Unlinking)
    await desk_of(request).linked.end(request[TEAM_ACTOR], fields.token)
    return done()


async def take_digest(request: web.Request) -> web.Response:
    """The digest of today, once its hour has come: for one bot, until it says how that went. Null
    where there is none to send."""
    fields = await read_fields(request, Taking)
    digest = await desk_of(request).digests.take(request[TEAM_ACTOR], fields.holder)
    return json_response({"digest": digest.model_dump(mode="json") if digest else None})


async def end_digest(request: web.Request) -> web.Response:
    """Say that the digest of a day was sent, or why it cannot be."""
    fields = await read_fields(request, DigestOutcome)
    await desk_of(request).digests.done(
        request[TEAM_ACTOR], fields.day, fields.holder, fields.failure
    )
    return done()
