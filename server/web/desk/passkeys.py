"""Passkeys on the pages: their script asks for options, and sends what the browser answers."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from desk.accounts import Asked
from server.api.responses import json_response
from server.context import DESK
from server.desk.fields import read_fields
from server.web.desk.sessions import begin_session, confirm_person, local_path, person_of


class Proof(BaseModel):
    """What a person proves with who it is; empty for one who has no password."""

    password: str = ""


class NewPasskey(BaseModel):
    """What a browser made when it was asked for a passkey, and the name that the person gives."""

    token: str
    credential: dict[str, Any]
    name: str = ""


class PasskeyAnswer(BaseModel):
    """What a browser answered with a passkey, and the page that the person came for."""

    token: str
    credential: dict[str, Any]
    next: str = ""


async def options_to_sign_in(request: web.Request) -> web.Response:
    """What to ask a browser for: any passkey of this host."""
    return _options(await request.app[DESK].passkeys.ask_to_sign_in())


async def sign_in(request: web.Request) -> web.Response:
    """Begin a session of the person whose passkey answered; says where to go on."""
    fields = await read_fields(request, PasskeyAnswer)
    desk = request.app[DESK]
    person_id = await desk.passkeys.recognise(fields.token, json.dumps(fields.credential))
    # from the start page, whose address the script knows
    answer = json_response({"next": local_path(fields.next).lstrip("/")})
    return await begin_session(request, person_id, answer)


async def options_to_register(request: web.Request) -> web.Response:
    """What to ask the browser of a person for, who proves who it is: a new passkey."""
    person = await confirm_person(request, (await read_fields(request, Proof)).password)
    return _options(await request.app[DESK].passkeys.ask_to_register(person))


async def register(request: web.Request) -> web.Response:
    """Keep a new passkey of the person who is signed in."""
    fields, person = await read_fields(request, NewPasskey), person_of(request)
    record = await request.app[DESK].passkeys.register(
        person, fields.token, json.dumps(fields.credential), fields.name
    )
    return json_response(record.model_dump(mode="json"), 201)


def _options(asked: Asked) -> web.Response:
    return json_response({"token": asked.token, "options": json.loads(asked.options)})
