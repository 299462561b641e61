"""Updates by webhook: accepted only with the secret, stored before they are acknowledged."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.bot.bot_process import BotProcess, QueueProbe
from tests.bot.conftest import Site, check_manners, launch_command, telegram_of
from tests.bot.image_asserts import Pixels, ReferenceDetector, as_file, genuine, tampered
from tests.bot.telegram import Json, Person, Telegram
from tests.server.server_process import Service

pytestmark = pytest.mark.anyio
SECRET = "a-secret-that-nobody-may-read"
PUBLIC = "https://bot.example.org"


class WebhookBot:
    """A bot with a webhook, and the URL at which its server listens."""

    def __init__(self, telegram: Telegram, runner: BotProcess) -> None:
        self.telegram = telegram
        self.runner = runner

    @property
    def url(self) -> str:
        (url,) = re.findall(r"ready @\w+ (http://\S+)", self.runner.log_text)[-1:]
        return str(url).rstrip("/")

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
async def webhook_bot(
    service: Service, queue: QueueProbe, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[WebhookBot]:
    async with telegram_of(queue, 4) as telegram:
        runner = BotProcess(
            service,
            telegram,
            tmp_path_factory.mktemp("hook") / "log",
            bot_webhook=f"{PUBLIC}/hook",
            bot_webhook_secret=SECRET,
            bot_port="0",
        )
        await runner.start(*launch_command(site))
        webhook_bot = WebhookBot(telegram, runner)
        telegram.updates.proxies[PUBLIC] = webhook_bot.url
        try:
            yield webhook_bot
            await telegram.settled()
            check_manners(telegram)
            assert SECRET not in runner.log_text and telegram.token not in runner.log_text
        finally:
            await runner.stop()


def message(person: Person, number: int) -> Json:
    """A forged update: a command that is always answered."""
    fields = {
        "message_id": number,
        "date": 1_700_000_000,
        "text": "/help",
        "from": person.user.json,
    }
    entity = {"type": "bot_command", "offset": 0, "length": 5}
    return {
        "update_id": number,
        "message": fields | {"chat": person.chat.json, "entities": [entity]},
    }


async def test_a_photo_by_webhook(
    webhook_bot: WebhookBot, detector: ReferenceDetector, portrait: Pixels
) -> None:
    ada = Person(webhook_bot.telegram, "Ada")
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    detector.check_annotated((await ada.answer()).data, sent.data)
    (call,) = webhook_bot.telegram.called("setWebhook")
    assert call.text("secret_token") == SECRET and call.text("url") == f"{PUBLIC}/hook"
    assert not webhook_bot.telegram.called("getUpdates")


async def test_an_album_by_webhook(
    webhook_bot: WebhookBot, detector: ReferenceDetector, portrait: Pixels
) -> None:
    """Its pictures are delivered in parallel, in any order."""
    ada = Person(webhook_bot.telegram, "Ada")
    sent = await ada.sends_album([as_file(tampered(portrait)) for _ in range(4)])
    *photos, _ = await ada.answers(5)
    for answer, one in zip(photos, sent, strict=True):
        detector.check_annotated(answer.data, one.data)


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET[:-1], SECRET + "x", SECRET.upper()])
async def test_a_wrong_secret_is_refused(webhook_bot: WebhookBot, secret: str | None) -> None:
    eve = Person(webhook_bot.telegram, "Eve")
    await eve.says("/help")
    await eve.answer()
    assert await webhook_bot.posts(message(eve, 900_000_000), secret) in (401, 403)
    await webhook_bot.telegram.settled()
    assert not eve.unread


async def test_the_same_update_twice(webhook_bot: WebhookBot) -> None:
    ada = Person(webhook_bot.telegram, "Ada")
    await ada.says("/start")
    await ada.answer()
    for _ in range(3):
        assert await webhook_bot.posts(message(ada, 900_000_100)) == 200
    await ada.answer()
    await webhook_bot.telegram.settled()
    assert not ada.unread


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b'{"update_id": "x"}', b"\xff\xfe", b"{}"]
)
async def test_bodies_that_are_no_updates(webhook_bot: WebhookBot, body: bytes) -> None:
    assert await webhook_bot.posts(body) in (200, 400, 422)
    assert webhook_bot.runner.is_running


async def test_large_bodies_and_other_paths(webhook_bot: WebhookBot) -> None:
    assert await webhook_bot.posts(b'{"x": "' + b"x" * 5_000_000 + b'"}') in (400, 413)
    async with aiohttp.ClientSession() as session:
        for method, path, statuses in (
            ("GET", "/hook", (404, 405)),
            ("POST", "/", (404, 405)),
            ("POST", "/hook/x", (404,)),
        ):
            async with session.request(method, webhook_bot.url + path) as answer:
                assert answer.status in statuses
                assert "aiohttp" not in answer.headers.get("Server", "").lower()


async def test_updates_while_the_bot_is_down_are_delivered_later(
    webhook_bot: WebhookBot, detector: ReferenceDetector, portrait: Pixels
) -> None:
    ada = Person(webhook_bot.telegram, "Ada")
    webhook_bot.runner.kill()
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    tried = len(webhook_bot.telegram.updates.hook_answers)
    await webhook_bot.telegram.until(lambda: 0 in webhook_bot.telegram.updates.hook_answers[tried:])
    await webhook_bot.runner.start()
    webhook_bot.telegram.updates.proxies[PUBLIC] = webhook_bot.url
    detector.check_annotated((await ada.answer()).data, sent.data)


async def test_from_webhook_to_polling(
    webhook_bot: WebhookBot,
    service: Service,
    tmp_path: Path,
    detector: ReferenceDetector,
    portrait: Pixels,
) -> None:
    """The same bot without a webhook, which it has to remove before Telegram lets it poll."""
    await webhook_bot.runner.stop()
    polling = BotProcess(service, webhook_bot.telegram, tmp_path / "log")
    await polling.start()
    try:
        ada = Person(webhook_bot.telegram, "Ada")
        sent = await ada.sends_photo(as_file(genuine(portrait)))
        detector.check_annotated((await ada.answer()).data, sent.data)
    finally:
        await polling.stop()
    await webhook_bot.runner.start()
    webhook_bot.telegram.updates.proxies[PUBLIC] = webhook_bot.url
