"""The server: it reads each call, applies a fault if one is due, answers, and keeps the call."""

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
#: Seconds between two checks of a condition.
_POLL_SECONDS = 0.01
#: Seconds until the server notices that a process at the other end of a connection has ended.
_HANG_UP_SECONDS = 0.1
#: Refusals that no program can avoid: another one was quicker.
_UNAVOIDABLE = (409, 429)

Result = TypeVar("Result")


class Telegram:
    """One bot's Telegram, for one event loop; :func:`running_telegram` serves it."""

    def __init__(self, number: int = 1, *, privacy: bool = True, hasty: bool = False) -> None:
        """``number`` gives each bot a token of its own. ``privacy``: in groups the bot gets only
        commands, mentions and answers to itself. ``hasty``: photos of the bot are not
        decoded, for measurements in which this Telegram must cost little."""
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
        #: Further conditions for the bot to count as settled.
        self.idle_conditions: list[Callable[[], bool]] = []
        self.expected_refusals: list[str] = []
        #: Called with each message and call of the bot; the console prints them.
        self.listeners: list[Callable[[str], None]] = []
        self.port = 0
        self._numbers = defaultdict[str, "count[int]"](lambda: count(1))
        self._quiet_since = time.monotonic()

    # For the tests

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
        """The calls that Telegram refused by its own rules: without a fault, and not with words
        that a test put into ``expected_refusals``."""
        return [
            call
            for call in self.calls[since:]
            if call.error
            and not call.fault
            and call.error.code not in _UNAVOIDABLE
            and not any(words in call.error.description for words in self.expected_refusals)
        ]

    def written(self, chat: Chat) -> list[Message]:
        """The bot's messages in a chat that it did not delete, in order."""
        return [m for m in chat.messages.values() if m.sender is self.bot and not m.deleted]

    async def until(
        self, holds: Callable[[], Result], timeout: float = 60, what: str = "that"
    ) -> Result:
        """The first true result of ``holds``."""
        deadline = time.monotonic() + timeout
        while not (result := holds()):
            if time.monotonic() > deadline:
                last = [str(call) for call in self.calls if call.method != "getUpdates"][-25:]
                raise AssertionError("\n  ".join([f"{what} did not come in time; after:", *last]))
            await asyncio.sleep(_POLL_SECONDS)
        return result

    async def settled(self, seconds: float = 0.1, timeout: float = 60) -> None:
        """Wait until every update is confirmed, no call began or ended for ``seconds``, and all
        ``idle_conditions`` are true."""
        deadline = time.monotonic() + timeout
        while not (
            not self.updates.pending
            and all(is_idle() for is_idle in self.idle_conditions)
            and all(call.done for call in self.calls if call.method != "getUpdates")
            and time.monotonic() - self._quiet_since > seconds
        ):
            assert time.monotonic() < deadline, "the bot did not settle in time"
            await asyncio.sleep(_POLL_SECONDS)

    # For the other modules

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
        except ConnectionResetError:  # the bot gave up, or crashed
            return web.Response()
        call.number = len(self.calls)
        self.calls.append(call)
        polling = call.method == "getUpdates"
        self._quiet_since = self._quiet_since if polling else time.monotonic()
        try:
            await self._execute(call, request)
        finally:
            call.done = True
            self._quiet_since = self._quiet_since if polling else time.monotonic()
            self._tell(str(call)) if not polling else None
        if call.error:
            return web.json_response(call.error.json, status=call.error.code)
        return web.json_response({"ok": True, "result": call.result})

    async def _execute(self, call: Call, request: web.Request) -> None:
        """Execute a call, with the fault that it meets, if any."""
        fault = self.faults.next(call)
        try:
            if fault:
                call.fault = fault.kind
                await _apply_fault(fault, request)
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
                    await _apply_fault(fault, request)
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
        for listener in self.listeners:
            listener(line)


async def _apply_fault(fault: Fault, request: web.Request) -> None:
    """Apply what a fault does before the call takes effect."""
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
            raise ConnectionResetError("the caller is gone")


def _drop(request: web.Request) -> None:
    """End the connection without an answer."""
    if request.transport:
        request.transport.abort()
    raise ConnectionResetError("dropped by a fault")


@asynccontextmanager
async def running_telegram(telegram: Telegram, port: int = 0) -> AsyncIterator[Telegram]:
    """Serve a Telegram on loopback until the end of the block."""
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
