"""Invitations, passwords, sessions, and delays after failed tries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncSession

from desk.accounts.lockout import FREE_OF_LOGIN, Lockout
from desk.database import Database
from desk.models import Link, LoginFailure, Session
from desk.vocabulary import LinkPurpose
from tests.desk.conftest import FakeClock
from tests.desk.play import PASSWORD, Play, refused
from unmask.permissions import Role

pytestmark = pytest.mark.anyio


async def _join(play: Play, login: str, role: Role = Role.CHECKER) -> int:
    token = await play.desk.links.invite(play.ada, role)
    return await play.desk.links.join(token, name="Eve", login=login, password=PASSWORD)


async def _sign_in(play: Play, name: str, password: str = PASSWORD, address: str = "") -> str:
    where = address or f"the address of {play.slug}"
    return await play.desk.sessions.sign_in(
        f"{name}-{play.slug}", password, address=where, user_agent="Firefox"
    )


async def test_an_invitation_is_looked_at_often_and_used_once(play: Play, clock: FakeClock) -> None:
    token = await play.desk.links.invite(play.ada, Role.VIEWER)
    for _ in range(3):
        link = await play.desk.links.peek(token)
        assert (link.purpose, link.team, link.role) == (LinkPurpose.JOIN, play.slug, Role.VIEWER)
    joins = [
        play.desk.links.join(token, name="Eve", login=f"eve{n}-{play.slug}", password=PASSWORD)
        for n in range(4)
    ]
    outcomes = await asyncio.gather(*joins, return_exceptions=True)
    assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
    with refused("link_invalid"):
        await play.desk.links.peek(token)
    late = await play.desk.links.invite(play.ada, Role.VIEWER)
    clock.pass_time(hours=49)
    for dead in (late, "", "x" * 43):
        with refused("link_invalid"):
            await play.desk.links.peek(dead)


async def test_a_wrong_form_leaves_the_link_usable(play: Play) -> None:
    token = await play.desk.links.invite(play.ada, Role.CHECKER)
    taken = f"bob-{play.slug}"
    for wrong, code in (
        ({"login": taken.upper()}, "already_exists"),
        ({"login": "two words"}, "bad_request"),
        ({"password": "short"}, "bad_request"),
        ({"name": " "}, "bad_request"),
    ):
        form = {"name": "Eve", "login": f"eve-{play.slug}", "password": PASSWORD} | wrong
        with refused(code):
            await play.desk.links.join(token, **form)
    person_id = await play.desk.links.join(
        token, name="Eve", login=f"Eve-{play.slug}", password=PASSWORD
    )
    assert (await play.desk.members.actor_of(person_id, play.slug)).role is Role.CHECKER


async def test_signing_in_and_out(play: Play, clock: FakeClock) -> None:
    token = await _sign_in(play, "bob")
    who = await play.desk.sessions.identify(token)
    assert who is not None and (who.person_id, who.name) == (play.bob.person_id, "Bob")
    assert [(m.team, m.role) for m in who.teams] == [(play.slug, Role.CHECKER)]
    other = await _sign_in(play, "BOB")
    listed = await play.desk.sessions.list(who.person_id, token)
    assert [(s.is_this, s.user_agent) for s in listed] == [(False, "Firefox"), (True, "Firefox")]
    assert await play.desk.sessions.end_one(who.person_id, listed[0].id)
    assert not await play.desk.sessions.end_one(play.ada.person_id or 0, listed[1].id)
    assert await play.desk.sessions.identify(other) is None
    await play.desk.sessions.end(token)
    for gone in (token, "", "x" * 43, "\0"):
        assert await play.desk.sessions.identify(gone) is None


async def test_a_session_ends_by_itself(play: Play, clock: FakeClock) -> None:
    token = await _sign_in(play, "bob")
    for _ in range(5):
        clock.pass_time(days=6)
        if _ < 4:
            assert await play.desk.sessions.identify(token) is not None, "used often enough"
    assert await play.desk.sessions.identify(token) is None, "30 days are over"
    token = await _sign_in(play, "bob")
    clock.pass_time(days=8)
    assert await play.desk.sessions.identify(token) is None, "not used for a week"
    await play.desk.sessions.forget_old()
    async with play.desk.database.reading() as session:
        mine = Session.person_id == play.bob.person_id
        assert await session.scalar(sa.select(sa.func.count()).where(mine)) == 0


async def test_the_database_holds_no_token_and_no_password(play: Play) -> None:
    token = await _sign_in(play, "bob")
    invitation = await play.desk.links.invite(play.ada, Role.VIEWER)
    async with play.desk.database.reading() as session:
        for table in (Session, Link):
            hashes = set(await session.scalars(sa.select(table.token_sha256)))
            assert not hashes & {token, invitation} and {len(one) for one in hashes} == {64}
        keys = set(await session.scalars(sa.select(LoginFailure.key)))
    assert all(len(key) == 64 and "address" not in key for key in keys)


async def test_an_unknown_login_is_as_a_wrong_password(play: Play) -> None:
    with refused("sign_in_failed") as wrong:
        await _sign_in(play, "bob", "not the password")
    with refused("sign_in_failed") as unknown:
        await _sign_in(play, "nobody", "not the password")
    assert wrong.error.as_json() == unknown.error.as_json()


async def test_failures_delay_a_login_but_never_for_good(play: Play, clock: FakeClock) -> None:
    for _ in range(FREE_OF_LOGIN):
        with refused("sign_in_failed"):
            await _sign_in(play, "bob", "wrong password", address=f"10.0.0.{_}")
    delays = []
    for _ in range(12):
        with refused("rate_limited") as caught:
            await _sign_in(play, "bob", address="10.9.9.9")
        delays.append(caught.error.detail["retry_after"])
        clock.pass_time(seconds=delays[-1])
        with refused("sign_in_failed"):
            await _sign_in(play, "bob", "wrong password", address="10.9.9.9")
    assert delays[:4] == [10, 20, 40, 80] and delays[-1] == 900
    clock.pass_time(seconds=900)
    await _sign_in(play, "bob")
    await _sign_in(play, "bob"), "a success forgets the failures"


async def test_an_address_is_delayed_over_many_logins(play: Play) -> None:
    codes = set()
    for n in range(40):
        with refused("sign_in_failed", "rate_limited") as caught:
            await _sign_in(play, f"nobody{n}", "wrong password", address=f"192.0.2.1 {play.slug}")
        codes.add(caught.error.code)
    assert codes == {"sign_in_failed", "rate_limited"}
    await _sign_in(play, "bob", address="192.0.2.2")


async def test_a_burst_of_tries_is_counted_whole(play: Play) -> None:
    tries = [_sign_in(play, "bob", "wrong password") for _ in range(20)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    codes = [getattr(outcome, "code", "in") for outcome in outcomes]
    assert codes.count("sign_in_failed") == FREE_OF_LOGIN
    assert codes.count("rate_limited") == 20 - FREE_OF_LOGIN


class Overtaken(Database):
    """A database at which, before the first transaction begins, another one has been and gone."""

    def __init__(self, url: URL, other: Callable[[], Awaitable[object]]) -> None:
        super().__init__(url)
        self._others = [other]

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        if self._others:
            await self._others.pop()()
        async with super().writing() as session:
            yield session


async def test_a_try_that_waited_for_another_is_later_than_it(
    play: Play, database_url: URL, clock: FakeClock
) -> None:
    login, address = f"bob-{play.slug}", f"the address of {play.slug}"
    other = Lockout(play.desk.database, clock, b"secret")
    database = Overtaken(database_url, lambda: other.begin(login, address))
    lockout = Lockout(database, clock, b"secret")
    try:
        await lockout.begin(login, address)  # neither of the first two has to wait
    finally:
        await database.close()


async def test_a_new_password_ends_all_other_sessions(play: Play) -> None:
    here, there = await _sign_in(play, "bob"), await _sign_in(play, "bob")
    person_id = play.bob.person_id or 0
    new = {"token": here, "address": "1.2.3.4"}
    with refused("sign_in_failed"):
        await play.desk.sessions.change_password(person_id, "wrong", "another password", **new)
    await play.desk.sessions.change_password(person_id, PASSWORD, "another password", **new)
    assert await play.desk.sessions.identify(here) is not None
    assert await play.desk.sessions.identify(there) is None
    link = await play.desk.links.reset(play.ada, person_id)
    await play.desk.links.set_password(link, PASSWORD)
    assert await play.desk.sessions.identify(here) is None
    await _sign_in(play, "bob")


async def test_an_admin_resets_no_password_of_a_person_in_two_teams(play: Play) -> None:
    token = await play.desk.links.invite(play.foreign, Role.VIEWER)
    await play.desk.links.join_as(token, play.bob.person_id or 0)
    for admin in (play.ada, play.foreign):
        with refused("not_found"):
            await play.desk.links.reset(admin, play.bob.person_id or 0)
    with refused("not_found"):
        await play.desk.links.reset(play.foreign, play.cleo.person_id or 0)
    with refused("not_allowed"):
        await play.desk.links.invite(play.bob, Role.ADMIN)


async def test_the_password_is_proof_and_an_open_session_is_none(
    play: Play, clock: FakeClock
) -> None:
    token, bob = await _sign_in(play, "bob"), play.bob.person_id or 0
    sessions = play.desk.sessions
    for wrong in ("", "not the password"):
        with refused("sign_in_failed") as caught:
            await sessions.confirm(bob, wrong, token=token, address="192.0.2.7")
        assert caught.error.detail == {"reason": "password"}
    await sessions.confirm(bob, PASSWORD, token=token, address="192.0.2.7")
    for _ in range(5):
        with refused("sign_in_failed"):
            await sessions.confirm(bob, "guess", token=token, address="192.0.2.7")
    with refused("rate_limited"):  # as much as at the door
        await sessions.confirm(bob, PASSWORD, token=token, address="192.0.2.7")


async def test_a_person_without_a_password_has_just_signed_in(play: Play, clock: FakeClock) -> None:
    link = await play.desk.links.invite(play.ada, Role.VIEWER)
    eve = await play.desk.links.join(link, name="Eve", login=f"eve2-{play.slug}", password=None)
    sessions = play.desk.sessions
    token = await sessions.begin(eve)
    await sessions.confirm(eve, "", token=token, address="192.0.2.7")
    clock.pass_time(minutes=11)
    for old in (token, "", "x" * 43):
        with refused("sign_in_needed") as caught:
            await sessions.confirm(eve, "", token=old, address="192.0.2.7")
        assert caught.error.detail == {"reason": "again"}
    with refused("not_allowed"):
        await sessions.change_password(eve, "", "a new password", token=token, address="192.0.2.7")
