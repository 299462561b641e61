"""The bot before a team's desk: a real server with a desk, and the chats that it serves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from desk.vocabulary import HumanVerdict
from tests.bot.bot_process import QueueProbe
from tests.bot.conftest import Site
from tests.bot.image_asserts import Pixels, as_file, tampered
from tests.bot.office import Office, office_of
from tests.bot.telegram import Group, Person, Telegram
from tests.desk.play import Play, judgement
from tests.server.server_process import Service

pytestmark = pytest.mark.anyio
#: The chat of the team: a private one, whose number is the user's.
TEAM_CHAT = 515151


@pytest.fixture(scope="module")
async def office(
    service: Service,
    queue: QueueProbe,
    site: Site,
    tmp_path_factory: pytest.TempPathFactory,
    anyio_backend: str,
) -> AsyncIterator[Office]:
    async def prepare(_: Play, __: Telegram) -> dict[str, str]:
        return {"bot_admins": str(TEAM_CHAT)}

    log = tmp_path_factory.mktemp("team") / "bot.log"
    async with office_of(service, queue, site, log, 17, prepare) as office:
        yield office


async def test_a_picture_becomes_a_case_and_its_verdict_answers(
    office: Office, portrait: Pixels
) -> None:
    ada = Person(office.telegram, "Ada", "en", TEAM_CHAT)
    picture = as_file(tampered(portrait))
    sent = await ada.sends_file(picture)
    answer = await ada.answer()
    await ada.says("/send", reply_to=answer)
    case = await ada.answer()
    assert case.text == "Case 1"
    await ada.says("/send", reply_to=sent)
    assert (await ada.answer()).text == "Case 1", "the same check is the same case"
    await ada.says("/case 1")
    assert (await ada.answer()).text.startswith("Case 1: nobody works on it yet")

    await office.play.desk.opinions.decide(office.play.bob, 1, judgement(HumanVerdict.AUTHENTIC))
    await ada.sends_file(picture)
    told = (await ada.answer()).text
    assert told.startswith("👥 Team: Authentic\n"), told
    assert "same file · high confidence · Case 1" in told.splitlines()[1]
    assert told.index("Team: Authentic") < told.index("manipulation")
    await ada.says("/case 1")
    assert "Team: Authentic" in (await ada.answer()).text
    await ada.says("/verdict 1 fake")
    assert "/account" in (await ada.answer()).text, "who is not linked learns how"

    # A chat that the operator does not name learns nothing of the team, even of the same file.
    eve = Person(office.telegram, "Eve", "en")
    sent = await eve.sends_file(picture)
    assert "Team" not in (await eve.answer()).text
    for command in ("/send", "/case 1", "/verdict 1", "/next", "/mine"):
        await eve.says(command, reply_to=sent)
        assert (await eve.answer()).text == "This chat belongs to no team."
    # Nor does a group, although a member of the team asks there.
    group = Group(office.telegram, "Talk", ada)
    photo = await ada.sends_file(picture, to=group)
    await ada.says("/check", to=group, reply_to=photo)
    assert "Team" not in (await group.answer()).text
    await ada.says("/case 1", to=group)
    assert (await group.answer()).text == "This chat belongs to no team."


async def test_it_says_what_it_needs(office: Office) -> None:
    ada = Person(office.telegram, "Ada", "de", TEAM_CHAT)
    await ada.says("/send")
    assert "/send" in (await ada.answer()).text
    await ada.says("/case")
    assert "/case 214" in (await ada.answer()).text
    await ada.says("/case 99")
    assert "keinen solchen Fall" in (await ada.answer()).text
