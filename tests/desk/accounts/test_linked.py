"""Chat accounts that people link to the team's bot: codes, tokens, and when they end."""

from __future__ import annotations

import asyncio
import re

import pytest

from desk.accounts.linked import MAX_LINKS
from desk.accounts.secrets import new_token
from desk.actors import DeskActor
from tests.desk.conftest import FakeClock
from tests.desk.play import Play, refused
from unmask.errors import UnmaskError
from unmask.permissions import Role, Scope

pytestmark = pytest.mark.anyio


async def bot_of(play: Play, admin: DeskActor | None = None, *scopes: Scope) -> DeskActor:
    key, _ = await play.desk.keys.create(admin or play.ada, "the bot", scopes or (Scope.DESK_BOT,))
    actor = await play.desk.keys.identify(key)
    assert actor is not None
    return actor


async def linked(play: Play, bot: DeskActor, person: DeskActor, account: str = "1") -> str:
    code = await play.desk.linked.make_code(person.person_id or 0)
    return (await play.desk.linked.link(bot, code, f"{account} {play.slug}", "@fact_bot")).token


async def test_a_code_links_once_and_the_link_acts_in_the_present_role(play: Play) -> None:
    desk, bot, bob = play.desk, await bot_of(play), play.bob.person_id or 0
    code = await desk.linked.make_code(bob)
    assert re.fullmatch(r"([2-9A-HJ-NP-Z]{4}-){2}[2-9A-HJ-NP-Z]{4}", code)
    person = await desk.linked.link(
        bot, f" {code.lower().replace('-', ' ')} ", f"1 {play.slug}", "@fact_bot"
    )
    assert (person.name, person.role) == ("Bob", Role.CHECKER)
    with refused("link_invalid"):
        await desk.linked.link(bot, code, f"2 {play.slug}")
    actor = await desk.linked.actor_of(bot, person.token)
    assert (actor.reference, actor.role, actor.via) == (f"person:{bob}", Role.CHECKER, bot.prefix)
    await desk.members.change_role(play.ada, bob, Role.VIEWER)
    assert (await desk.linked.actor_of(bot, person.token)).role is Role.VIEWER
    [record] = await desk.linked.of_person(bob)
    assert (record.bot, record.team) == ("@fact_bot", play.slug)


async def test_a_link_dies_with_the_membership_and_does_not_come_back(play: Play) -> None:
    desk, bot, bob = play.desk, await bot_of(play), play.bob.person_id or 0
    token = await linked(play, bot, play.bob)
    # Bob stays somebody, by another team.
    invitation = await desk.links.invite(play.foreign, Role.CHECKER)
    await desk.links.join_as(invitation, bob)
    await desk.members.remove(play.ada, bob)
    with refused("sign_in_needed"):
        await desk.linked.actor_of(bot, token)
    await desk.links.join_as(await desk.links.invite(play.ada, Role.ADMIN), bob)
    with refused("sign_in_needed"):
        await desk.linked.actor_of(bot, token)


async def test_neither_another_teams_key_nor_another_teams_person_gets_in(play: Play) -> None:
    desk, own, other = play.desk, await bot_of(play), await bot_of(play, play.foreign)
    token = await linked(play, own, play.bob)
    with refused("sign_in_needed"):
        await desk.linked.actor_of(other, token)
    code = await desk.linked.make_code(play.foreign.person_id or 0)
    with refused("link_invalid"):
        await desk.linked.link(own, code, f"1 {play.slug}")
    await desk.linked.link(other, code, f"2 {play.slug}")  # the refusal did not use it up
    with refused("key_scope"):
        await desk.linked.link(await bot_of(play, None, Scope.DESK_WRITE), "ABCD", f"3 {play.slug}")
    with refused("not_allowed"):
        await desk.linked.link(play.ada, "ABCD", f"3 {play.slug}")


async def test_codes_end_after_ten_minutes_and_with_the_next(play: Play, clock: FakeClock) -> None:
    desk, bot, bob = play.desk, await bot_of(play), play.bob.person_id or 0
    first, second = await desk.linked.make_code(bob), await desk.linked.make_code(bob)
    with refused("link_invalid"):
        await desk.linked.link(bot, first, f"1 {play.slug}")
    clock.pass_time(minutes=10)
    with refused("link_invalid"):
        await desk.linked.link(bot, second, f"1 {play.slug}")


async def test_a_guesser_waits_longer_and_longer_and_others_do_not(play: Play) -> None:
    desk, bot = play.desk, await bot_of(play)
    for _ in range(5):
        with refused("link_invalid"):
            await desk.linked.link(bot, "ABCD-EFGH-JKLM", f"guesser of {play.slug}")
    code = await desk.linked.make_code(play.bob.person_id or 0)
    with refused("rate_limited") as delay:
        await desk.linked.link(bot, code, f"guesser of {play.slug}")
    assert delay.error.detail["retry_after"] > 1
    assert (await desk.linked.link(bot, code, f"another account of {play.slug}")).name == "Bob"


async def test_of_two_who_send_one_code_one_is_linked(play: Play) -> None:
    desk, bot = play.desk, await bot_of(play)
    code = await desk.linked.make_code(play.bob.person_id or 0)
    tries = [desk.linked.link(bot, code, f"{n} {play.slug}") for n in range(4)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    lost = [one.code for one in done if isinstance(one, UnmaskError)]
    assert lost == ["link_invalid"] * 3


async def test_the_same_request_again_makes_no_second_link(play: Play) -> None:
    desk, bot, bob = play.desk, await bot_of(play), play.bob.person_id or 0
    token, account = new_token(), f"1 {play.slug}"
    code = await desk.linked.make_code(bob)
    first = await desk.linked.link(bot, code, account, "@fact_bot", token)
    again = await desk.linked.link(bot, code, account, "@fact_bot", token)
    assert again == first and first.token == token
    assert len(await desk.linked.of_person(bob)) == 1
    with refused("link_invalid"):  # the code alone, or with another token, is used up
        await desk.linked.link(bot, code, account, "@fact_bot", new_token())
    await desk.linked.end(bot, token)
    with refused("link_invalid"):  # and what has ended does not come back by it
        await desk.linked.link(bot, code, account, "@fact_bot", token)


async def test_a_token_answers_to_its_own_team_alone(play: Play) -> None:
    desk = play.desk
    bot, other = await bot_of(play), await bot_of(play, play.foreign)
    token = new_token()
    code = await desk.linked.make_code(play.bob.person_id or 0)
    await desk.linked.link(bot, code, f"1 {play.slug}", "@fact_bot", token)
    with refused("link_invalid"):
        await desk.linked.link(other, code, f"2 {play.slug}", "@fact_bot", token)


async def test_links_end_by_the_bot_by_the_person_and_by_their_number(play: Play) -> None:
    desk, bot, bob = play.desk, await bot_of(play), play.bob.person_id or 0
    token = await linked(play, bot, play.bob)
    await desk.linked.end(bot, token)
    await desk.linked.end(bot, token)
    assert await desk.linked.of_person(bob) == []
    tokens = [await linked(play, bot, play.bob, f"{n}") for n in range(MAX_LINKS + 1)]
    links = await desk.linked.of_person(bob)
    assert len(links) == MAX_LINKS
    with refused("sign_in_needed"):
        await desk.linked.actor_of(bot, tokens[0])
    with refused("not_found"):
        await desk.linked.end_own(play.ada.person_id or 0, links[0].id)
    await desk.linked.end_own(bob, links[0].id)
    with refused("sign_in_needed"):
        await desk.linked.actor_of(bot, tokens[1])
    actions = [entry.action for entry in await history(play)]
    assert actions.count("member.linked") == MAX_LINKS + 2
    assert actions.count("member.unlinked") == 2
    assert (await desk.history.verify(play.ada)).holds


async def test_a_code_that_others_read_can_be_made_useless(play: Play) -> None:
    desk, bot = play.desk, await bot_of(play)
    code = await desk.linked.make_code(play.bob.person_id or 0)
    await desk.linked.void(bot, code)
    with refused("link_invalid"):
        await desk.linked.link(bot, code, f"1 {play.slug}")


async def test_the_desk_keeps_neither_code_nor_token_nor_the_chat_account(play: Play) -> None:
    """Nor does a link count as a way in: the last other one stays."""
    import sqlalchemy as sa

    desk, bot, bob = play.desk, await bot_of(play), play.bob.person_id or 0
    token = await linked(play, bot, play.bob, "telegram-4711")
    code = await desk.linked.make_code(bob)
    async with desk.database.reading() as session:
        for table in ("identities", "challenges", "login_failures", "history"):
            rows = str((await session.execute(sa.text(f"SELECT * FROM {table}"))).all())
            for secret in (token, code, code.replace("-", ""), "telegram-4711"):
                assert secret not in rows, (table, secret)
        # A sign-in by an identity asks for the kinds that are ways in.
        assert await desk.sessions.identify(token) is None


async def history(play: Play) -> list:  # type: ignore[type-arg]
    import sqlalchemy as sa

    from desk.models import HistoryEntry

    async with play.desk.database.reading() as session:
        rows = await session.scalars(
            sa.select(HistoryEntry).where(HistoryEntry.team_id == play.ada.team_id)
        )
        return list(rows)
