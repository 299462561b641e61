"""A linked person before the bot of a team: linking, working on cases, and the team's digest.

The bot serves nobody but the team's group, as a newsroom runs it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from desk.cases.editing import CaseChanges
from desk.vocabulary import CaseState
from tests.bot.bot_process import QueueProbe
from tests.bot.conftest import Site
from tests.bot.image_asserts import Pixels, as_file, tampered
from tests.bot.office import Office, office_of
from tests.bot.telegram import Group, Person, Telegram
from tests.desk.play import Play
from tests.server.server_process import Service
from unmask.permissions import Role

pytestmark = pytest.mark.anyio
#: Now, as the hour of a digest that is due at once.
HOUR = datetime.now(UTC).hour


@dataclass
class GroupOffice(Office):
    """The office of a team whose chat is a group."""

    group: Group


@pytest.fixture(scope="module")
async def office(
    service: Service,
    queue: QueueProbe,
    site: Site,
    tmp_path_factory: pytest.TempPathFactory,
    anyio_backend: str,
) -> AsyncIterator[GroupOffice]:
    groups: list[Group] = []

    async def prepare(play: Play, telegram: Telegram) -> dict[str, str]:
        """The digest is due when the bot starts; two cases are open."""
        groups.append(Group(telegram, "Fact desk"))
        chat = groups[0].chat.id
        await play.desk.teams.edit(play.ada, name="The fact desk")
        await play.rules(digest=True, digest_chat=chat, digest_hour=HOUR)
        for title in ("The march", "The minister"):
            number = await play.case()
            await play.desk.editing.edit(play.ada, number, CaseChanges(title=title))
        return {"bot_allowed": str(chat)}

    log = tmp_path_factory.mktemp("linked") / "bot.log"
    async with office_of(service, queue, site, log, 23, prepare) as office:
        yield GroupOffice(office.telegram, office.play, office.bot, office.command, groups[0])


def menu_of(office: Office, chat: int) -> set[str]:
    """The commands of the menu that a chat has of its own."""
    return {
        command["command"]
        for (scope, language), commands in office.telegram.commands.items()
        if str(chat) in scope and not language
        for command in commands
    }


async def test_the_teams_chat_has_a_menu_of_its_own(office: GroupOffice) -> None:
    assert {"send", "next", "check"} <= menu_of(office, office.group.chat.id)


async def test_the_digest_comes_once_whatever_restarts(office: GroupOffice) -> None:
    digest = (await office.group.answer()).text
    lines = digest.splitlines()
    today = datetime.now(UTC).date()
    assert lines[0] == f"📋 The fact desk · {today}"
    assert "New: 2 · claimed: 0 · second opinion due: 0" in lines
    assert "Yesterday: 0 opened · 0 decided" in lines
    assert "• Case 1 · The march" in lines
    assert lines[-1].startswith("History up to entry ")
    async with asyncio.timeout(30):  # the bot tells the desk after Telegram took the message
        while (last := await office.play.desk.digests.last(office.play.vera)) is None or (
            not last.done
        ):
            await asyncio.sleep(0.1)
    for stop in (office.bot.stop, None):
        if stop is None:
            office.bot.kill()
        else:
            await stop()
        await office.bot.start(*office.command)
    await asyncio.sleep(1)
    assert office.group.unread == []
    last = await office.play.desk.digests.last(office.play.vera)
    assert last is not None and (last.day, last.done, last.failure) == (today, True, None)


async def test_a_person_links_takes_a_case_and_decides_it(
    office: GroupOffice, portrait: Pixels
) -> None:
    play, bob = office.play, office.play.bob.person_id or 0
    eve = Person(office.telegram, "Eve", "en")
    assert "closed circle" in await office.ask(eve, "/next")
    assert "expired" in await office.ask(eve, "/link ABCD-EFGH-JKLM")
    code = await play.desk.linked.make_code(bob)
    person = Person(office.telegram, "Bob", "en")
    assert "/account" in await office.ask(person, "/link")
    told = await office.ask(person, f"/link {code.lower()}")
    assert told.startswith("Linked: what you do here counts as done by Bob (checker).")
    again = await office.ask(person, f"/link {code.lower()}")  # as after a crash
    assert again == told and len(await play.desk.linked.of_person(bob)) == 1
    assert "expired" in await office.ask(eve, f"/link {code}")

    assert "unlink" in menu_of(office, person.chat.id)

    standing = await office.ask(person, "/team")
    assert "The fact desk" in standing and "You are Bob, checker." in standing
    assert "You hold no case" in await office.ask(person, "/mine")
    told = await office.ask(person, "/next")
    assert told.startswith("Case 2 · The minister · lapses in 20 minutes"), told
    assert (await play.desk.reading.get(play.ada, 2)).claimed_by is not None
    assert (await office.ask(person, "/mine")).startswith("Case 2 · The minister")
    usage = await office.ask(person, "/verdict 2 perhaps: no")
    assert "Out of context" in usage
    told = await office.ask(person, "/verdict 2 manipulated high: The ears\ndo not match.")
    assert told == "Case 2 is decided. Team: Manipulated"
    [opinion] = (await play.desk.reading.detail(play.vera, 2)).opinions
    assert (opinion.person_id, opinion.confidence) == (bob, "high")
    assert opinion.reasoning == "The ears\ndo not match."
    assert "takes no opinion now" in await office.ask(person, "/verdict 2 authentic: No.")

    # In the own chat the picture of a case is answered by the team, and sent to it.
    picture = as_file(tampered(portrait))
    sent = await person.sends_file(picture)
    await person.answer()
    await person.says("/send", reply_to=sent)
    number = int((await person.answer()).text.split()[1])
    await person.says("/next")
    shown = await person.answer()
    assert shown.text.startswith(f"Case {number}") and "fake" in shown.text
    assert shown.file is not None, "the picture comes along"
    told = await office.ask(person, f"/verdict {number} generated: It has six fingers.")
    assert told == f"Case {number} is decided. Team: Generated"
    await person.sends_file(picture)
    assert (await person.answer()).text.startswith("👥 Team: Generated")


async def test_why_there_is_no_next(office: GroupOffice) -> None:
    play = office.play
    dan = await office.linked("Dan", play.dan.person_id or 0)
    await office.ask(dan, "/next")
    told = await office.ask(dan, "/next")
    assert told.startswith("There is no next case: others") or "nothing is open" in told
    cleo = await office.linked("Cleo", play.cleo.person_id or 0)
    told = await office.ask(cleo, "/next")
    assert told.splitlines() == [
        "There is no next case: others work on all that is open.",
        "Others hold 1 case.",
    ]
    await play.rules(max_claims=1)
    await play.case()
    assert "as many as your team allows" in await office.ask(dan, "/next")
    await play.rules(max_claims=5)
    vera = await office.linked("Vera", play.vera.person_id or 0)
    assert await office.ask(vera, "/next") == "Your role in the team does not allow that."


async def test_a_second_opinion_stays_blind(office: GroupOffice) -> None:
    play = office.play
    await play.rules(second_opinion="always")
    number = await play.case(0.99)
    bob = await office.linked("Bob", play.bob.person_id or 0)
    office.group.chat.status[bob.user.id] = "member"
    verdict = f"/verdict {number} authentic: The ears match."
    await bob.says(verdict, to=office.group)
    assert "Nothing was counted" in (await office.group.answer()).text
    assert (await play.desk.reading.get(play.ada, number)).state is CaseState.NEW
    assert "once another person says the same" in await office.ask(bob, verdict)
    assert "must be another person's" in await office.ask(bob, verdict)
    cleo = await office.linked("Cleo", play.cleo.person_id or 0)
    told = await office.ask(cleo, f"/verdict {number} fake")
    assert "Verdicts:" in told
    told = await office.ask(cleo, f"/verdict {number} cannot tell low: It is too small.")
    assert "A third person settles it" in told
    dan = await office.linked("Dan", play.dan.person_id or 0)
    told = await office.ask(dan, f"/verdict {number} cannot-tell: So it is.")
    assert told == f"Case {number} is decided. Team: Cannot tell"
    await play.rules(second_opinion="never")
    number = await play.case(0.98)
    await bob.says(f"/verdict {number} authentic: The ears match.", to=office.group)
    assert "is decided" in (await office.group.answer()).text


async def test_what_another_holds_is_named(office: GroupOffice) -> None:
    number = await office.play.case()
    await office.play.desk.claims.claim(office.play.ada, number)
    bob = await office.linked("Bob", office.play.bob.person_id or 0)
    told = await office.ask(bob, f"/verdict {number} authentic: The ears match.")
    assert told == f"Ada works on Case {number}."


async def test_what_comes_again_after_a_crash_is_done_once(office: GroupOffice) -> None:
    """Killed while the answer is sent: the update is handled again, and Telegram may show it
    twice, but the desk does it once."""
    play = office.play
    await play.rules(second_opinion="always")
    bob = await office.linked("Bob", play.bob.person_id or 0)
    ada = await office.linked("Ada", play.ada.person_id or 0)
    numbers = {await play.case(0.99), await play.case(0.99)}

    async def with_a_crash(person: Person, text: str) -> str:
        hold = office.telegram.faults.add("sendMessage", "hold")
        await person.says(text)
        await office.telegram.until(lambda: hold.met)
        office.bot.kill()
        hold.released.set()
        await office.bot.start(*office.command)
        text = (await person.answer()).text
        await office.telegram.settled()
        assert {message.text for message in await person.answers(len(person.unread))} <= {text}
        return text

    before = (await play.desk.queue.counts(play.bob)).mine
    told = await with_a_crash(bob, "/next")
    assert (await play.desk.queue.counts(play.bob)).mine == before + 1, told
    number = int(told.split()[1])
    told = await with_a_crash(bob, f"/verdict {number} authentic: The ears match.")
    assert "once another person says the same" in told
    # An admin may settle a tie: the second opinion that comes again must not do so.
    told = await with_a_crash(ada, f"/verdict {number} manipulated: They do not.")
    assert "A third person settles it" in told
    case = await play.desk.reading.get(play.ada, number)
    assert (case.state, case.verdict) == (CaseState.SECOND, None)
    await play.rules(second_opinion="never")
    other = (numbers - {number}).pop()
    told = await with_a_crash(ada, f"/verdict {other} generated: Six fingers.")
    assert told == f"Case {other} is decided. Team: Generated"
    assert "not linked any more" in await office.ask(ada, "/unlink")


async def test_a_code_in_the_group_is_void(office: GroupOffice) -> None:
    cleo = Person(office.telegram, "Cleo", "en")
    office.group.chat.status[cleo.user.id] = "member"
    code = await office.play.desk.linked.make_code(office.play.cleo.person_id or 0)
    await cleo.says(f"/link {code}", to=office.group)
    assert "private chat" in (await office.group.answer()).text
    assert "expired" in await office.ask(cleo, f"/link {code}")
    # Who is not linked reads the team's numbers in its chat, and takes nothing.
    await cleo.says("/team", to=office.group)
    told = (await office.group.answer()).text
    assert "You are not linked" in told and str(office.group.chat.id) in told
    await cleo.says("/next", to=office.group)
    assert "/account" in (await office.group.answer()).text


async def test_a_link_ends_by_its_user_and_with_the_membership(office: GroupOffice) -> None:
    play = office.play
    dan = await office.linked("Dan", play.dan.person_id or 0)
    assert "not linked any more" in await office.ask(dan, "/unlink")
    assert menu_of(office, dan.chat.id) == set()
    assert await office.ask(dan, "/help") is not None  # the bot is closed to others again
    links = await play.desk.linked.of_person(play.dan.person_id or 0)
    await play.desk.members.change_role(play.ada, play.cleo.person_id or 0, Role.VIEWER)
    fay = await play.desk.links.join(
        await play.desk.links.invite(play.ada, Role.CHECKER),
        name="Fay",
        login="fay-linked",
        password="of the tests only",
    )
    person = await office.linked("Fay", fay)
    assert "You are Fay" in await office.ask(person, "/team")
    await play.desk.members.remove(play.ada, fay)
    assert "not linked to a member of the team any more" in await office.ask(person, "/next")
    assert "closed circle" in await office.ask(person, "/next")
    assert links == await play.desk.linked.of_person(play.dan.person_id or 0)
    await office.telegram.settled()
    assert menu_of(office, person.chat.id) == set()


async def test_forgetting_a_user_ends_the_link_at_the_desk(office: GroupOffice) -> None:
    ada = office.play.ada.person_id or 0
    person = await office.linked("Ada", ada)
    assert len(await office.play.desk.linked.of_person(ada)) == 1
    await person.says("/delete")
    await person.presses(await person.answer(), "Everything")
    await office.telegram.until(lambda: "Deleted" in person.written[-1].text, 10, "deletion")
    assert await office.play.desk.linked.of_person(ada) == []
