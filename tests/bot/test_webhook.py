"""Updates by webhook: only with the secret, kept before they are acknowledged."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.bot.bot_process import Runner, Work
from tests.bot.conftest import Site, check_manners, launched, telegram_of
from tests.bot.image_asserts import Judge, Pixels, as_file, genuine, tampered
from tests.bot.telegram import Json, Person, Telegram
from tests.server.server_process import Service as Place

pytestmark = pytest.mark.anyio
SECRET = "a-secret-that-nobody-may-read"
PUBLIC = "https://bot.example.org"


class Hooked:
    """A bot behind a webhook, and where its own server listens."""

    def __init__(self, telegram: Telegram, runner: Runner) -> None:
        self.telegram = telegram
        self.runner = runner

    @property
    def url(self) -> str:
        (found,) = re.findall(r"ready @\w+ (http://\S+)", self.runner.said)[-1:]
        return str(found).rstrip("/")

    async def posts(self, update: Json | bytes, secret: str | None = SECRET) -> int:
        headers = {} if secret is None else {"X-Telegram-Bot-Api-Secret-Token": secret}
        body = {"data": update} if isinstance(update, bytes) else {"json": update}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.url}/hook", headers=headers, **body) as answer,
        ):
            assert SECRET not in await answer.text()
            return answer.status


@pytest.fixture(scope="module")
async def hooked(
    place: Place, work: Work, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Hooked]:
    async with telegram_of(work, 4) as telegram:
        runner = Runner(
            place,
            telegram,
            tmp_path_factory.mktemp("hook") / "log",
            bot_webhook=f"{PUBLIC}/hook",
            bot_webhook_secret=SECRET,
            bot_port="0",
        )
        await runner.start(*launched(site))
        made = Hooked(telegram, runner)
        telegram.updates.proxies[PUBLIC] = made.url
        try:
            yield made
            await telegram.settled()
            check_manners(telegram)
            assert SECRET not in runner.said and telegram.token not in runner.said
        finally:
            await runner.stop()


def message(person: Person, number: int) -> Json:
    """An update that somebody forged: a command that is always answered."""
    about = {"message_id": number, "date": 1_700_000_000, "text": "/help", "from": person.user.json}
    entity = {"type": "bot_command", "offset": 0, "length": 5}
    return {
        "update_id": number,
        "message": about | {"chat": person.chat.json, "entities": [entity]},
    }


async def test_a_photo_by_webhook(hooked: Hooked, judge: Judge, portrait: Pixels) -> None:
    ada = Person(hooked.telegram, "Ada")
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    judge.check_annotated((await ada.answer()).data, sent.data)
    (call,) = hooked.telegram.called("setWebhook")
    assert call.text("secret_token") == SECRET and call.text("url") == f"{PUBLIC}/hook"
    assert not hooked.telegram.called("getUpdates")


async def test_an_album_by_webhook(hooked: Hooked, judge: Judge, portrait: Pixels) -> None:
    """Its parts are delivered side by side, in any order."""
    ada = Person(hooked.telegram, "Ada")
    sent = await ada.sends_album([as_file(tampered(portrait)) for _ in range(4)])
    *shown, _ = await ada.answers(5)
    for answer, one in zip(shown, sent, strict=True):
        judge.check_annotated(answer.data, one.data)


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET[:-1], SECRET + "x", SECRET.upper()])
async def test_nobody_else_is_believed(hooked: Hooked, secret: str | None) -> None:
    eve = Person(hooked.telegram, "Eve")
    await eve.says("/help")
    await eve.answer()
    assert await hooked.posts(message(eve, 900_000_000), secret) in (401, 403)
    await hooked.telegram.settled()
    assert not eve.untaken


async def test_the_same_update_twice(hooked: Hooked) -> None:
    ada = Person(hooked.telegram, "Ada")
    await ada.says("/start")
    await ada.answer()
    for _ in range(3):
        assert await hooked.posts(message(ada, 900_000_100)) == 200
    await ada.answer()
    await hooked.telegram.settled()
    assert not ada.untaken


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b'{"update_id": "x"}', b"\xff\xfe", b"{}"]
)
async def test_bodies_that_are_no_updates(hooked: Hooked, body: bytes) -> None:
    assert await hooked.posts(body) in (200, 400, 422)
    assert hooked.runner.runs


async def test_large_bodies_and_other_paths(hooked: Hooked) -> None:
    assert await hooked.posts(b'{"x": "' + b"x" * 5_000_000 + b'"}') in (400, 413)
    async with aiohttp.ClientSession() as session:
        for method, path, statuses in (
            ("GET", "/hook", (404, 405)),
            ("POST", "/", (404, 405)),
            ("POST", "/hook/x", (404,)),
        ):
            async with session.request(method, hooked.url + path) as answer:
                assert answer.status in statuses
                assert "aiohttp" not in answer.headers.get("Server", "").lower()


async def test_what_comes_while_the_bot_is_down_is_delivered_after(
    hooked: Hooked, judge: Judge, portrait: Pixels
) -> None:
    ada = Person(hooked.telegram, "Ada")
    hooked.runner.kill()
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    tried = len(hooked.telegram.updates.hook_answers)
    await hooked.telegram.until(lambda: 0 in hooked.telegram.updates.hook_answers[tried:])
    await hooked.runner.start()
    hooked.telegram.updates.proxies[PUBLIC] = hooked.url
    judge.check_annotated((await ada.answer()).data, sent.data)


async def test_from_webhook_to_polling(
    hooked: Hooked, place: Place, tmp_path: Path, judge: Judge, portrait: Pixels
) -> None:
    """The same bot, now without a webhook: Telegram would refuse to be asked."""
    await hooked.runner.stop()
    polling = Runner(place, hooked.telegram, tmp_path / "log")
    await polling.start()
    try:
        ada = Person(hooked.telegram, "Ada")
        sent = await ada.sends_photo(as_file(genuine(portrait)))
        judge.check_annotated((await ada.answer()).data, sent.data)
    finally:
        await polling.stop()
    await hooked.runner.start()
    hooked.telegram.updates.proxies[PUBLIC] = hooked.url
