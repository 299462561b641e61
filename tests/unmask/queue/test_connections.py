"""Connections that die without a word, and servers that change their part."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.queue_harness import QueueHarness
from unmask.queue.clients import open_async_client, open_client
from unmask.queue.events import CheckEvents
from unmask.queue.keys import EVENTS
from unmask.queue.valkey import EmbeddedValkey

pytestmark = pytest.mark.anyio

STATE = json.dumps({"work": "w", "state": "done", "rev": "3"})


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[EmbeddedValkey, EmbeddedValkey]]:
    """Two servers that know nothing of each other."""
    made = EmbeddedValkey(tmp_path / "a"), EmbeddedValkey(tmp_path / "b")
    for server in made:
        server.directory.parent.mkdir()
        server.ensure()
    yield made
    for server in made:
        server.stop()


class Line:
    """A way to a server that can be cut, so that neither side is told."""

    def __init__(self, server: EmbeddedValkey, socket: Path) -> None:
        self.server = server
        self.socket = socket
        self.cut = 0
        self.made = 0

    async def start(self) -> None:
        await asyncio.start_unix_server(self._connect, str(self.socket))

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_unix_connection(str(self.server.socket))
        self.made += 1
        number = self.made

        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                if number > self.cut:
                    target.write(data)

        with contextlib.suppress(ConnectionError):
            await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))


async def test_a_silent_connection_is_left(
    tmp_path: Path, servers: tuple[EmbeddedValkey, EmbeddedValkey], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unmask.queue.events._SILENT_SECONDS", 0.3)
    line = Line(servers[0], tmp_path / "line")
    await line.start()
    events = CheckEvents(open_async_client(f"unix://{line.socket}", retries=0), EVENTS)
    await events.start()
    await asyncio.sleep(1.5)
    assert line.made == 1, "one that answers is kept"
    with events.listen("w") as changes:
        line.cut = 1
        again = await asyncio.wait_for(changes.get(), 60)
        assert not again.fields and line.made == 2
        async with open_async_client(servers[0].url) as client:
            await client.publish(EVENTS, STATE)
        assert (await asyncio.wait_for(changes.get(), 60)).rev == 3
    await events.close()


@pytest.mark.parametrize("message", ["not json", "[]", "7", "{}", '{"work": ["w"]}'])
async def test_a_message_that_is_none_of_ours_is_skipped(
    harness: QueueHarness, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    with harness.checks._events.listen("w") as changes:
        harness.client.publish(EVENTS, message)
        harness.client.publish(EVENTS, STATE)
        assert (await asyncio.wait_for(changes.get(), 60)).rev == 3
    assert "another program" in caplog.text


async def test_an_old_primary_is_left_after_a_fail_over(
    tmp_path: Path, servers: tuple[EmbeddedValkey, EmbeddedValkey]
) -> None:
    """The address leads to the new primary; connections to the old one, a replica now, live on."""
    old, new = servers
    address = tmp_path / "address"
    address.symlink_to(old.socket)
    url = f"unix://{address}"
    with open_client(url) as blocking:
        async with open_async_client(url) as client:
            assert blocking.set("a", "1") and await client.set("a", "1")
            with open_client(old.url) as there:
                there.replicaof("127.0.0.1", "1")
            address.unlink()
            address.symlink_to(new.socket)
            assert blocking.set("b", "2") and await client.eval(
                "return redis.call('SET', 'c', '3')", 0
            )
    with open_client(new.url) as there:
        assert there.mget("a", "b", "c") == [None, "2", "3"]
