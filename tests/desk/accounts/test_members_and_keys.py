"""Roles, members who leave, and keys of programs."""

from __future__ import annotations

import pytest

from desk.vocabulary import CaseState
from tests.desk.conftest import FakeClock
from tests.desk.play import PASSWORD, Play, refused
from unmask.permissions import Permission, Role, Scope, may

pytestmark = pytest.mark.anyio


async def test_the_last_admin_stays(play: Play) -> None:
    ada = play.ada.person_id or 0
    with refused("bad_request"):
        await play.desk.members.change_role(play.ada, ada, Role.CHECKER)
    with refused("bad_request"):
        await play.desk.members.remove(play.ada, ada)
    await play.desk.members.change_role(play.ada, play.bob.person_id or 0, Role.ADMIN)
    await play.desk.members.change_role(play.ada, ada, Role.CHECKER)
    with refused("not_allowed"):
        await play.desk.members.change_role(play.cleo, ada, Role.VIEWER)
    for role in (Role.OPERATOR, Role.TEAM_KEY):
        with refused("bad_request"):
            bob = await play.desk.members.actor_of(play.bob.person_id or 0, play.slug)
            await play.desk.members.change_role(bob, ada, role)


async def test_who_leaves_is_forgotten_but_for_the_opinions(play: Play) -> None:
    bob = play.bob.person_id or 0
    held, decided = await play.case(), await play.decided()
    await play.desk.claims.claim(play.bob, held)
    token = await play.desk.sessions.sign_in(f"bob-{play.slug}", PASSWORD, address="1.1.1.1")
    await play.desk.members.remove(play.ada, bob)
    assert (await play.desk.reading.get(play.ada, held)).state is CaseState.NEW
    former = (await play.desk.members.list(play.ada))[-1]
    assert (former.name, former.login, former.former_number) == ("", "", 1)
    opinions = (await play.desk.reading.detail(play.ada, decided)).opinions
    assert [opinion.person_id for opinion in opinions] == [bob]
    assert await play.desk.sessions.identify(token) is None
    with refused("not_found"):
        await play.desk.members.actor_of(bob, play.slug)
    with refused("sign_in_failed"):
        await play.desk.sessions.sign_in(f"bob-{play.slug}", PASSWORD, address="1.1.1.1")
    assert (await play.desk.history.verify(play.ada)).holds


async def test_a_demoted_checker_loses_the_claims(play: Play) -> None:
    number = await play.case()
    await play.desk.claims.claim(play.bob, number)
    await play.desk.members.change_role(play.ada, play.bob.person_id or 0, Role.VIEWER)
    assert (await play.desk.reading.get(play.ada, number)).state is CaseState.NEW


async def test_a_key_acts_for_its_team_until_it_ends(play: Play, clock: FakeClock) -> None:
    keys = play.desk.keys
    key, record = await keys.create(play.ada, "the bot", [Scope.DESK_SEND, Scope.CHECK], days=10)
    actor = await keys.identify(key)
    assert actor is not None and actor.team == play.slug and actor.role is Role.TEAM_KEY
    assert may(actor, Permission.SEND_CASE) and may(actor, Permission.CREATE_CHECK)
    assert not may(actor, Permission.READ_CASES) and not may(actor, Permission.WORK_ON_CASE)
    with refused("key_scope"):
        await play.desk.claims.claim(actor, await play.case())
    assert (await keys.list(play.ada))[0].last_used is not None
    for wrong in (key[:-1] + ("A" if key[-1] != "A" else "B"), "um_x", "", key.upper()):
        assert await keys.identify(wrong) is None
    clock.pass_time(days=11)
    assert await keys.identify(key) is None
    key, record = await keys.create(play.ada, "another", [Scope.DESK_READ])
    with refused("not_found"):
        await keys.revoke(play.foreign, record.prefix)
    await keys.revoke(play.ada, record.prefix)
    assert await keys.identify(key) is None


@pytest.mark.parametrize(
    ("scopes", "days"), [([], 1), ([Scope.METRICS], 1), ([Scope.CHECK], 0), ([Scope.CHECK], 9_999)]
)
async def test_an_odd_key_is_refused(play: Play, scopes: list[Scope], days: float) -> None:
    with refused("bad_request"):
        await play.desk.keys.create(play.ada, "odd", scopes, days=days)


async def test_settings_are_checked_and_kept(play: Play) -> None:
    team = await play.desk.teams.edit(play.ada, name="Die Prüfer", settings={"max_claims": 7})
    assert (team.name, team.settings.max_claims) == ("Die Prüfer", 7)
    assert (await play.desk.teams.get(play.vera)).settings.max_claims == 7
    wrong = ({"max_claims": 0}, {"second_opinion": "x"}, {"unknown": 1})
    for settings in wrong:
        with refused("bad_request"):
            await play.desk.teams.edit(play.ada, settings=settings)
    with refused("already_exists"):
        await play.desk.teams.create(play.slug)
    with refused("bad_request"):
        await play.desk.teams.create("No Such Name")
