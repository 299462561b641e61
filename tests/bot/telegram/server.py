"""The server: what a bot asks is read, met by a fault or not, granted or refused, and kept."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from aiohttp import web

from tests.bot.telegram import account, editing, sending
from tests.bot.telegram.answers import ApiError, Json, bad_request, too_many_requests
from tests.bot.telegram.chats import Chat, User
from tests.bot.telegram.faults import Fault, Faults
from tests.bot.telegram.files import File, Files
from tests.bot.telegram.messages import Message
from tests.bot.telegram.requests import Call, read_call
from tests.bot.telegram.updates import Updates

if TYPE_CHECKING:
    from tests.bot.telegram.people import Press

_SECRET = "AAFakeTokenForTheTestsOfUnmask_0123456789"
#: The token of the first bot.
TOKEN = f"7000000001:{_SECRET}"
METHODS = sending.METHODS | editing.METHODS | account.METHODS
_MAX_REQUEST = 60 * 2**20
#: Seconds between two looks at a condition.
_LOOK_SECONDS = 0.01
#: Seconds until the end of a process has reached who held a connection with it.
_HANG_UP_SECONDS = 0.1
#: Refusals that no program can rule out: somebody else was quicker.
_NOT_TO_BE_HELPED = (409, 429)

Found = TypeVar("Found")


class Telegram:
    """One bot's Telegram; made by :func:`running_telegram`. For one event loop."""

    def __init__(self, number: int = 1, *, privacy: bool = True, hasty: bool = False) -> None:
        """``number`` tells bots apart, each with a token of its own. ``privacy``: in groups the bot
        gets only commands, mentions and answers to itself. ``hasty``: photos of the bot are not
        decoded, for when this Telegram must take no time."""
        self.privacy = privacy
        self.hasty = hasty
        self.token = f"{7_000_000_000 + number}:{_SECRET}"
        name = "unmask_test_bot" if number == 1 else f"unmask_test_{number}_bot"
        self.bot = User(7_000_000_000 + number, "Unmask", name, is_bot=True)
        self.users: dict[int, User] = {self.bot.id: self.bot}
        self.chats: dict[int, Chat] = {}
        self.files = Files()
        self.updates = Updates()
        self.faults = Faults()
        self.presses: dict[str, Press] = {}
        self.commands: dict[tuple[str, str], list[Json]] = {}
        self.calls: list[Call] = []
        #: What else must hold before the bot counts as settled.
        self.quiet: list[Callable[[], bool]] = []
        self.foreseen: list[str] = []
        #: Seen by the console; each message of the bot is told once.
        self.told: list[Callable[[str], None]] = []
        self.port = 0
        self._numbers = defaultdict[str, "count[int]"](lambda: count(1))
        self._quiet_since = time.monotonic()

    # What tests ask

    @property
    def api(self) -> str:
        """Where the Bot API is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.api}/bot"

    @property
    def base_file_url(self) -> str:
        return f"{self.api}/file/bot"

    def called(self, method: str, since: int = 0) -> list[Call]:
        """The calls of one method, in order, from the number ``since`` on."""
        return [call for call in self.calls[since:] if call.method == method]

    def refusals(self, since: int = 0) -> list[Call]:
        """What the bot asked and Telegram refused by its own rules: no fault being in play, and the
        words being none that a test put into ``foreseen``."""
        return [
            call
            for call in self.calls[since:]
            if call.error
            and not call.fault
            and call.error.code not in _NOT_TO_BE_HELPED
            and not any(words in call.error.description for words in self.foreseen)
        ]

    def written(self, chat: Chat) -> list[Message]:
        """What the bot wrote in a chat and did not delete, in order."""
        return [m for m in chat.messages.values() if m.sender is self.bot and not m.deleted]

    async def until(
        self, holds: Callable[[], Found], timeout: float = 60, what: str = "that"
    ) -> Found:
        """What ``holds`` returns once that is true."""
        deadline = time.monotonic() + timeout
        while not (found := holds()):
            if time.monotonic() > deadline:
                last = [str(call) for call in self.calls if call.method != "getUpdates"][-25:]
                raise AssertionError("\n  ".join([f"{what} did not come in time; after:", *last]))
            await asyncio.sleep(_LOOK_SECONDS)
        return found

    async def settled(self, seconds: float = 0.1, timeout: float = 60) -> None:
        """Wait until every update is confirmed, no call came or went for some time, and all of
        ``quiet`` holds."""
        deadline = time.monotonic() + timeout
        while not (
            not self.updates.pending
            and all(is_quiet() for is_quiet in self.quiet)
            and all(call.done for call in self.calls if call.method != "getUpdates")
            and time.monotonic() - self._quiet_since > seconds
        ):
            assert time.monotonic() < deadline, "the bot did not settle in time"
            await asyncio.sleep(_LOOK_SECONDS)

    # What the parts of this Telegram do

    def chat_of(self, call: Call) -> Chat:
        where = call.text("chat_id")
        for chat in self.chats.values():
            if where in (str(chat.id), f"@{chat.username or '?'}"):
                return chat
        raise bad_request("chat not found")

    def new_id(self, kind: str, start: int) -> int:
        return start + next(self._numbers[kind])

    def new_album(self) -> Json:
        return {"media_group_id": str(self.new_id("album", 13_000_000_000_000_000))}

    def write(
        self,
        chat: Chat,
        sender: User | None,
        content: Json,
        file: File | None = None,
        reply: Message | None = None,
    ) -> Message:
        """Put a message into a chat."""
        message = Message(chat, chat.next_id(), sender, int(time.time()), content, file, reply)
        chat.messages[message.id] = message
        if sender is self.bot:
            self._tell(f"{chat.title or chat.id} < {message}")
        return message

    # Serving

    def application(self) -> web.Application:
        app = web.Application(client_max_size=_MAX_REQUEST)
        app.router.add_route("*", "/bot{token}/{method}", self._answer)
        app.router.add_get("/file/bot{token}/{path:.+}", self._download)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        refused = self._wrong_token(request)
        if refused:
            return refused
        try:
            call = await read_call(request, len(self.calls), time.monotonic())
        except ConnectionResetError:  # the bot thought better of it, or died
            return web.Response()
        call.number = len(self.calls)
        self.calls.append(call)
        polling = call.method == "getUpdates"
        self._quiet_since = self._quiet_since if polling else time.monotonic()
        try:
            await self._meet(call, request)
        finally:
            call.done = True
            self._quiet_since = self._quiet_since if polling else time.monotonic()
            self._tell(str(call)) if not polling else None
        if call.error:
            return web.json_response(call.error.json, status=call.error.code)
        return web.json_response({"ok": True, "result": call.result})

    async def _meet(self, call: Call, request: web.Request) -> None:
        """Do what is asked, or what a fault makes of it."""
        fault = self.faults.next(call)
        try:
            if fault:
                call.fault = fault.kind
                await _suffer(fault, request)
            call.result = await self._do(call)
        except ApiError as error:
            call.error = error
        if fault and fault.kind == "hold_answer":
            await fault.released.wait()
        if fault and fault.kind == "drop_after":
            _drop(request)

    async def _do(self, call: Call) -> object:
        if call.method == "getUpdates":
            return await self.updates.get(call)
        if call.method == "setWebhook":
            return await self.updates.set_webhook(call)
        if call.method == "deleteWebhook":
            return await self.updates.delete_webhook(call)
        method = METHODS.get(call.method)
        if method is None:
            raise ApiError(404, "Not Found: method not found")
        return method(self, call)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        refused = self._wrong_token(request)
        if refused:
            return refused
        path = request.match_info["path"]
        call = Call(len(self.calls), "file", {"path": path}, {}, time.monotonic())
        self.calls.append(call)
        try:
            return await self._stream(call, request)
        finally:
            call.done = True
            self._quiet_since = time.monotonic()

    async def _stream(self, call: Call, request: web.Request) -> web.StreamResponse:
        """A file; the fault ``drop_after`` ends it half-way, ``slow`` is a pause half-way."""
        file = self.files.by_path(call.text("path"))
        if file is None:
            call.error = ApiError(404, "Not Found")
            return web.json_response(call.error.json, status=404)
        fault = self.faults.next(call)
        try:
            if fault:
                call.fault = fault.kind
                if fault.kind != "slow":
                    await _suffer(fault, request)
        except ApiError as error:
            return web.json_response(error.json, status=error.code)
        response = web.StreamResponse(headers={"Content-Length": str(len(file.data))})
        response.content_type = "application/octet-stream"
        await response.prepare(request)
        half = len(file.data) // 2
        await response.write(file.data[:half])
        if fault and fault.kind == "slow":
            await asyncio.sleep(fault.value)
        if fault and fault.kind == "drop_after":
            _drop(request)
        await response.write(file.data[half:])
        await response.write_eof()
        return response

    def _wrong_token(self, request: web.Request) -> web.Response | None:
        if request.match_info["token"] == self.token:
            return None
        return web.json_response(ApiError(401, "Unauthorized").json, status=401)

    def _tell(self, line: str) -> None:
        for tell in self.told:
            tell(line)


async def _suffer(fault: Fault, request: web.Request) -> None:
    """What a fault does before the effect."""
    if fault.kind == "retry_after":
        raise too_many_requests(int(fault.value))
    if fault.kind == "status":
        raise ApiError(int(fault.value), "Internal Server Error")
    if fault.kind == "migrated":
        why = "Bad Request: group chat was upgraded to a supergroup chat"
        raise ApiError(400, why, migrate_to_chat_id=int(fault.value))
    if fault.kind == "drop_before":
        _drop(request)
    if fault.kind == "slow":
        await asyncio.sleep(fault.value)
    if fault.kind == "hold":
        await fault.released.wait()
        await asyncio.sleep(_HANG_UP_SECONDS)
        if request.transport is None or request.transport.is_closing():
            raise ConnectionResetError("who asked is gone")


def _drop(request: web.Request) -> None:
    """End the connection without an answer."""
    if request.transport:
        request.transport.abort()
    raise ConnectionResetError("dropped by a fault")


@asynccontextmanager
async def running_telegram(telegram: Telegram, port: int = 0) -> AsyncIterator[Telegram]:
    """The server on loopback until the end of the block."""
    runner = web.AppRunner(telegram.application(), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    telegram.port = int(runner.addresses[0][1])
    try:
        yield telegram
    finally:
        telegram.faults.clear()
        await telegram.updates.close()
        await runner.cleanup()
