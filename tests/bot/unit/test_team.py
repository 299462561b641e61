"""What the bot asks of a team's desk, and what it makes of odd answers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.team import DeskError, TeamDesk, Trouble
from unmask.errors import SettingsError
from unmask.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk() -> AsyncIterator[TeamDesk]:
    """A desk whose server answers cases by their number: the status to answer with."""

    async def key(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer um_key"
        return web.json_response({"team": "fact-desk"})

    async def case(request: web.Request) -> web.Response:
        status = int(request.match_info["number"])
        return web.Response(status=status, text="a proxy speaks", headers={"Location": "/"})

    app = web.Application()
    app.router.add_get("/v1/key", key)
    app.router.add_get("/v1/teams/fact-desk/cases/{number}", case)
    async with TestServer(app) as server:
        found = TeamDesk(str(server.make_url("/")), "um_key", "https://unmask.example.org/")
        yield found
        await found.close()


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (200, Trouble.AWAY),
        (302, Trouble.AWAY),
        (403, Trouble.REFUSED),
        (404, Trouble.UNKNOWN),
        (503, Trouble.AWAY),
    ],
)
async def test_it_names_what_is_the_matter(desk: TeamDesk, status: int, trouble: Trouble) -> None:
    with pytest.raises(DeskError) as raised:
        await desk.case(status)
    assert raised.value.trouble is trouble


async def test_people_reach_a_case_where_they_reach_the_server(desk: TeamDesk) -> None:
    assert await desk.page_of(214) == "https://unmask.example.org/t/fact-desk/214"


async def test_a_desk_that_is_away_answers_nothing_and_spoils_nothing() -> None:
    away = TeamDesk("http://127.0.0.1:9", "um_key")
    assert await away.look_up(["0" * 64]) == {}
    await away.close()


def test_the_settings_name_a_whole_desk_or_none() -> None:
    assert TeamDesk.of(Settings(bot_desk_key=SecretStr(""))) is None
    assert TeamDesk.of(Settings(bot_desk_url="http://x", bot_desk_key=SecretStr("um_k")))
    for half in (
        Settings(bot_desk_url="http://x"),
        Settings(bot_desk_key=SecretStr("um_k")),
        Settings(bot_desk_url="unmask.example.org", bot_desk_key=SecretStr("um_k")),
    ):
        with pytest.raises(SettingsError):
            TeamDesk.of(half)
