"""Signing in with a passkey."""

from __future__ import annotations

import json

import pytest

from desk.accounts.identities import Identities
from desk.accounts.passkeys import Passkeys
from tests.desk.accounts.authenticator import PRESENT, Authenticator
from tests.desk.conftest import FakeClock
from tests.desk.play import Play, refused
from unmask.settings import Settings

pytestmark = pytest.mark.anyio

ORIGIN, HOST = "https://desk.example.org", "desk.example.org"


def _passkeys(play: Play, url: str = ORIGIN) -> Passkeys:
    changes = play.desk.changes
    return Passkeys(changes, Identities(changes), Settings(public_url=url))


async def _registered(play: Play, who: int) -> tuple[Passkeys, Authenticator]:
    passkeys, device = _passkeys(play), Authenticator(ORIGIN, HOST)
    asked = await passkeys.ask_to_register(who)
    await passkeys.register(who, asked.token, device.register(asked.options), "Phone")
    return passkeys, device


async def test_a_person_is_recognised_by_a_passkey(play: Play) -> None:
    bob = play.bob.person_id or 0
    passkeys, device = await _registered(play, bob)
    for _ in range(2):
        asked = await passkeys.ask_to_sign_in()
        assert await passkeys.recognise(asked.token, device.sign_in(asked.options)) == bob
    (own,) = await Identities(play.desk.changes).list(bob)
    assert (own.kind, own.name, own.issuer) == ("passkey", "Phone", HOST)
    again = await passkeys.ask_to_register(bob)
    assert len(json.loads(again.options)["excludeCredentials"]) == 1
    with refused("not_found"):
        await Identities(play.desk.changes).remove(play.cleo.person_id or 0, own.id)
    await Identities(play.desk.changes).remove(bob, own.id)
    asked = await passkeys.ask_to_sign_in()
    with refused("sign_in_failed"):
        await passkeys.recognise(asked.token, device.sign_in(asked.options))


async def test_an_answer_is_taken_once_and_in_time(play: Play, clock: FakeClock) -> None:
    passkeys, device = await _registered(play, play.bob.person_id or 0)
    asked = await passkeys.ask_to_sign_in()
    answer = device.sign_in(asked.options)
    await passkeys.recognise(asked.token, answer)
    with refused("link_invalid"):
        await passkeys.recognise(asked.token, answer)
    other = await passkeys.ask_to_sign_in()
    with refused("sign_in_failed"):  # an answer to another question
        await passkeys.recognise(other.token, answer)
    late = await passkeys.ask_to_sign_in()
    clock.pass_time(minutes=11)
    with refused("link_invalid"):
        await passkeys.recognise(late.token, device.sign_in(late.options))


async def test_what_does_not_fit_is_refused(play: Play) -> None:
    passkeys, device = await _registered(play, play.bob.person_id or 0)
    strangers = [Authenticator(ORIGIN, HOST), Authenticator(ORIGIN, HOST)]
    strangers[0].id = device.id  # claims to be Bob's, with a key of its own
    for odd in strangers:
        asked = await passkeys.ask_to_sign_in()
        with refused("sign_in_failed"):
            await passkeys.recognise(asked.token, odd.sign_in(asked.options))
    for name, value in (("origin", "https://evil.example"), ("host", "evil"), ("flags", PRESENT)):
        kept = getattr(device, name)
        setattr(device, name, value)
        asked = await passkeys.ask_to_sign_in()
        with refused("sign_in_failed"):
            await passkeys.recognise(asked.token, device.sign_in(asked.options))
        setattr(device, name, kept)
    asked = await passkeys.ask_to_sign_in()
    await passkeys.recognise(asked.token, device.sign_in(asked.options))
    device.count = 0  # a copy of the device: its counter is behind
    asked = await passkeys.ask_to_sign_in()
    with refused("sign_in_failed"):
        await passkeys.recognise(asked.token, device.sign_in(asked.options))
    for text in ("", "{}", "[]", "null", '{"id": "x"}', "x" * 1_000):
        asked = await passkeys.ask_to_sign_in()
        with refused("sign_in_failed"):
            await passkeys.recognise(asked.token, text)
    asked = await passkeys.ask_to_register(play.bob.person_id or 0)
    with refused("link_invalid"):  # another person's question
        await passkeys.register(
            play.cleo.person_id or 0, asked.token, device.register(asked.options), ""
        )
    asked = await passkeys.ask_to_register(play.cleo.person_id or 0)
    with refused("already_exists"):
        await passkeys.register(
            play.cleo.person_id or 0, asked.token, device.register(asked.options), ""
        )


@pytest.mark.parametrize(
    ("url", "possible"),
    [
        (ORIGIN, True),
        ("http://localhost:8080", True),
        ("", True),
        ("http://127.0.0.1:8080", False),
        ("https://[::1]/", False),
        ("http://desk.example.org", False),
    ],
)
async def test_where_passkeys_are_possible(play: Play, url: str, possible: bool) -> None:
    passkeys = _passkeys(play, url)
    assert passkeys.are_possible == possible
    if not possible:
        with refused("bad_request"):
            await passkeys.ask_to_sign_in()
