"""Events leave after the commit: none is lost or doubled, and none leads inside the network."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import web
from aiohttp.test_utils import TestServer

from desk.models import Delivery, Outbox
from desk.outgoing import Dispatcher, Webhooks, signing
from desk.outgoing.webhooks import MAX_FAILURES, PAUSES
from desk.vocabulary import NoticeKind
from tests.desk.conftest import FakeClock
from tests.desk.play import Play, judgement, refused
from unmask.fetch import Poster

pytestmark = pytest.mark.anyio

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


class Receiver:
    """Somebody's server; it keeps what it got and answers with ``status``."""

    def __init__(self, port: int) -> None:
        self.url = f"http://hooks.example.org:{port}/in"
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 200

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, Poster]]:
    holder: list[Receiver] = []

    async def take(request: web.Request) -> web.Response:
        receiver = holder[0]
        receiver.got.append((dict(request.headers), await request.read()))
        return web.Response(status=receiver.status, text="x" * 5_000)

    app = web.Application()
    app.router.add_post("/in", take)
    async with TestServer(app) as server:
        port = server.port or 0
        holder.append(Receiver(port))
        poster = Poster(2, opened=LOOPBACK, ports={port}, lookup=lambda _: ["127.0.0.1"])
        yield holder[0], poster
        poster.close()


def _sending(play: Play, poster: Poster) -> tuple[Webhooks, Dispatcher]:
    webhooks = Webhooks(play.desk.changes, poster)
    return webhooks, Dispatcher(play.desk.changes, webhooks)


async def _empty(dispatcher: Dispatcher) -> None:
    while await dispatcher.dispatch():
        pass


async def test_an_event_reaches_a_webhook_signed(
    play: Play, receiver: tuple[Receiver, Poster], clock: FakeClock
) -> None:
    server, poster = receiver
    webhooks, dispatcher = _sending(play, poster)
    await _empty(dispatcher)
    secret, hook = await webhooks.create(play.ada, server.url, ["case.decided"])
    number = await play.decided()
    await _empty(dispatcher)
    assert await webhooks.send_due() == 1 and await webhooks.send_due() == 0
    ((headers, body),) = server.got
    message = json.loads(body)
    assert message["type"] == "case.decided"
    assert message["data"]["case"] == number and message["data"]["verdict"] == "manipulated"
    assert set(message["data"]) == {"team", "case", "version", "verdict"}
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{right}"
    (log,) = await webhooks.deliveries(play.ada, hook.id)
    assert (log.status, log.attempts, log.next_at) == (200, 1, None)
    assert len(log.answer) == 1_024


async def test_the_signature_is_that_of_the_standard() -> None:
    """The example of the scheme's own reference libraries."""
    made = signing.headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330),
        b'{"test": 2432232314}',
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_a_failed_message_is_tried_again_and_then_given_up(
    play: Play, receiver: tuple[Receiver, Poster], clock: FakeClock
) -> None:
    server, poster = receiver
    webhooks, dispatcher = _sending(play, poster)
    await _empty(dispatcher)
    await webhooks.create(play.ada, server.url, ["case.created"])
    await play.case()
    await _empty(dispatcher)
    server.status = 500
    for pause in (0, *PAUSES):
        clock.pass_time(seconds=pause * 1.11 + 1)
        assert await webhooks.send_due() == 1
    clock.pass_time(days=30)
    assert await webhooks.send_due() == 0
    assert len({headers["webhook-id"] for headers, _ in server.got}) == 1
    assert len({headers["webhook-signature"] for headers, _ in server.got}) == len(server.got)
    (log,) = await webhooks.deliveries(play.ada)
    assert (log.attempts, log.next_at, log.delivered_at) == (8, None, None)
    server.status = 204
    again = await webhooks.resend(play.ada, log.id)
    assert again.status == 204 and again.delivered_at is not None
    with refused("not_found"):
        await webhooks.resend(play.foreign, log.id)


async def test_a_webhook_that_is_gone_or_fails_on_is_turned_off(
    play: Play, receiver: tuple[Receiver, Poster], clock: FakeClock
) -> None:
    server, poster = receiver
    webhooks, dispatcher = _sending(play, poster)
    await _empty(dispatcher)
    _, hook = await webhooks.create(play.ada, server.url, ["case.created"])
    server.status = 410
    await play.case()
    await _empty(dispatcher)
    await webhooks.send_due()
    assert not (await webhooks.all(play.ada))[0].active
    assert NoticeKind.WEBHOOK_OFF in [n.kind for n in await play.desk.notices.list(play.ada)]
    server.status = 500
    await webhooks.change(play.ada, hook.id, active=True)
    for _ in range(MAX_FAILURES):
        await play.case()
    await _empty(dispatcher)
    while await webhooks.send_due():
        pass
    assert (await webhooks.all(play.ada))[0].active, "a burst during a short fault"
    clock.pass_time(hours=13)
    while await webhooks.send_due():
        pass
    assert not (await webhooks.all(play.ada))[0].active


async def test_a_test_message_and_a_new_secret(
    play: Play, receiver: tuple[Receiver, Poster], clock: FakeClock
) -> None:
    server, poster = receiver
    webhooks, _ = _sending(play, poster)
    secret, hook = await webhooks.create(play.ada, server.url)
    assert (await webhooks.test(play.ada, hook.id)).status == 200
    new = await webhooks.rotate(play.ada, hook.id)
    await webhooks.test(play.ada, hook.id)
    assert len(server.got[-1][0]["webhook-signature"].split()) == 2 and new != secret
    clock.pass_time(hours=25)
    server.status = 500
    failed = await webhooks.test(play.ada, hook.id)
    assert len(server.got[-1][0]["webhook-signature"].split()) == 1
    assert failed.next_at is None and (await webhooks.all(play.ada))[0].active
    for call in (webhooks.test, webhooks.rotate, webhooks.remove):
        with refused("not_found"):
            await call(play.foreign, hook.id)
        with refused("not_allowed"):
            await call(play.bob, hook.id)
    await webhooks.remove(play.ada, hook.id)
    assert await webhooks.all(play.ada) == [] and await webhooks.deliveries(play.ada) == []


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://localhost/", "http://169.254.169.254/latest", "ftp://a.org/",
     "http://a.org:22/", "http://user:x@a.org/", "http://[::1]/", "http://2130706433/", "x"],
)  # fmt: skip
async def test_an_address_inside_the_network_is_refused(play: Play, url: str) -> None:
    webhooks = Webhooks(play.desk.changes, Poster())
    try:
        _, hook = await webhooks.create(play.ada, url)
    except Exception as error:
        assert getattr(error, "code", None) in ("bad_url", "url_refused", "bad_request"), error
        return
    # an address that is written as one is refused when it is dialled
    log = await webhooks.test(play.ada, hook.id)
    assert (log.status, log.answer) == (None, "url_refused")


async def test_a_name_that_leads_inside_is_refused_when_it_is_dialled(play: Play) -> None:
    poster = Poster(2, lookup=lambda _: ["10.0.0.1"])
    webhooks = Webhooks(play.desk.changes, poster)
    _, hook = await webhooks.create(play.ada, "http://hooks.example.org/")
    assert (await webhooks.test(play.ada, hook.id)).answer == "url_refused"
    poster.close()


async def test_nothing_is_lost_or_doubled_by_a_death_between_commit_and_outbox(
    play: Play, receiver: tuple[Receiver, Poster], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, poster = receiver
    webhooks, dispatcher = _sending(play, poster)
    await _empty(dispatcher)
    await webhooks.create(play.ada, server.url, ["case.created"])
    await _empty(dispatcher)
    numbers = [await play.case() for _ in range(3)]

    async def dies(*_: object) -> None:
        raise KeyboardInterrupt

    for method in ("_publish", "_make_deliveries"):
        with monkeypatch.context() as patch:
            patch.setattr(Dispatcher, method, dies)
            with pytest.raises(KeyboardInterrupt):
                await dispatcher.dispatch()
    again = Dispatcher(play.desk.changes, webhooks)  # the next start
    await _empty(again)
    await play.desk.changes.database.close()
    await _empty(dispatcher)
    while await webhooks.send_due():
        pass
    assert sorted(m["data"]["case"] for m in server.messages) == numbers
    async with play.desk.database.reading() as session:
        waiting = sa.select(sa.func.count()).where(
            Outbox.team_id == play.ada.team_id, Outbox.done_at.is_(None)
        )
        assert await session.scalar(waiting) == 0


async def test_the_tasks_of_a_server_carry_events_out(
    play: Play, receiver: tuple[Receiver, Poster]
) -> None:
    import asyncio

    server, poster = receiver
    webhooks, dispatcher = _sending(play, poster)
    await _empty(dispatcher)
    await webhooks.create(play.ada, server.url, ["case.created"])
    dispatcher.start()
    try:
        number = await play.case()
        async with asyncio.timeout(60):
            while not server.got:
                await asyncio.sleep(0.01)
    finally:
        await dispatcher.close()
    assert server.messages[0]["data"]["case"] == number


async def test_only_the_own_team_is_told(play: Play, receiver: tuple[Receiver, Poster]) -> None:
    server, poster = receiver
    webhooks, dispatcher = _sending(play, poster)
    await webhooks.create(play.foreign, server.url)
    await _empty(dispatcher)
    while await webhooks.send_due():
        pass
    server.got.clear()
    await play.decided()
    await _empty(dispatcher)
    assert await webhooks.send_due() == 0 and not server.got
    async with play.desk.database.reading() as session:
        query = sa.select(sa.func.count()).where(Delivery.team_id == play.ada.team_id)
        assert await session.scalar(query) == 0


async def test_the_first_of_two_opinions_is_not_told(
    play: Play, receiver: tuple[Receiver, Poster]
) -> None:
    server, poster = receiver
    webhooks, dispatcher = _sending(play, poster)
    await play.rules(second_opinion="always")
    await webhooks.create(play.ada, server.url)
    number = await play.case()
    await play.desk.opinions.decide(play.bob, number, judgement())
    await _empty(dispatcher)
    while await webhooks.send_due():
        pass
    assert "manipulated" not in str(server.got) and "ears" not in str(server.got)
