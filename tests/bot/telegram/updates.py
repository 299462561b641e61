"""Updates on their way to the bot: kept until the bot confirms them, by polling or by webhook."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import count

import aiohttp

from tests.bot.telegram.answers import ApiError, Json, bad_request
from tests.bot.telegram.limits import checked_secret
from tests.bot.telegram.requests import Call

#: Kinds that Telegram sends only if the bot asks for them by name.
ON_REQUEST = {"chat_member", "message_reaction", "message_reaction_count"}
#: Seconds before the next attempt if a webhook did not answer 200; Telegram waits longer.
_FIRST_RETRY, _LAST_RETRY = 0.1, 1.0
_HOOK_SECONDS = 60.0


class Updates:
    """The updates that the bot has not confirmed, oldest first."""

    def __init__(self) -> None:
        self.pending: dict[int, Json] = {}
        self.confirmed: list[int] = []
        #: Status codes with which the webhook answered, in order; 0 for no answer.
        self.hook_answers: list[int] = []
        self.hook = ""
        #: The local URL that stands behind each public one.
        self.proxies: dict[str, str] = {}
        self._secret = ""
        self._most = 40
        self._number = count(700_000_001)
        self._allowed: list[str] = []
        self._changed = asyncio.Event()
        self._poll = 0
        self._delivery: asyncio.Task[None] | None = None
        self._under_way: set[int] = set()

    def add(self, kind: str, content: Json) -> int | None:
        """Add an update; returns None if the bot did not ask for its kind."""
        wanted = kind in self._allowed if self._allowed else kind not in ON_REQUEST
        return self._put({"update_id": next(self._number), kind: content}) if wanted else None

    def repeat(self, update: Json) -> None:
        """Deliver an update once more under its own id, confirmed or not."""
        self._put(update)

    async def get(self, call: Call) -> list[Json]:
        """getUpdates: confirms what lies below ``offset``, waits for what comes."""
        if self.hook:
            why = "can't use getUpdates method while webhook is active; use deleteWebhook first"
            raise ApiError(409, f"Conflict: {why}")
        self._poll += 1
        mine = self._poll
        self._wake()
        self._allow(call)
        offset = call.number_of("offset", 0)
        if offset < 0:  # only the last ones; those before are forgotten
            offset = min(sorted(self.pending)[offset:], default=0)
        self._confirm([number for number in self.pending if number < offset])
        deadline = asyncio.get_running_loop().time() + call.number_of("timeout", 0)
        while not self.pending:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return []
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), left)
            if mine != self._poll:
                why = "terminated by other getUpdates request; only one bot instance may run"
                raise ApiError(409, f"Conflict: {why}")
        first = sorted(self.pending)[: min(call.number_of("limit", 100), 100)]
        return [self.pending[number] for number in first]

    async def set_webhook(self, call: Call) -> bool:
        url = call.text("url")
        if url and not url.startswith(("https://", "http://127.0.0.1")):
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        secret = checked_secret(call.text("secret_token"))
        await self.close()
        self._allow(call)
        self._drop(call)
        self.hook, self._secret = url, secret
        self._most = call.number_of("max_connections", 40)
        self._poll += 1
        self._wake()
        if url:
            self._delivery = asyncio.create_task(self._deliver())
        return True

    async def delete_webhook(self, call: Call) -> bool:
        self.hook = ""
        await self.close()
        self._drop(call)
        return True

    def webhook_info(self) -> Json:
        return {
            "url": self.hook,
            "has_custom_certificate": False,
            "pending_update_count": len(self.pending),
            "max_connections": self._most,
        }

    async def close(self) -> None:
        if self._delivery:
            self._delivery.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._delivery
        self._delivery = None

    def _put(self, update: Json) -> int:
        number = int(update["update_id"])
        self.pending[number] = update
        self._wake()
        return number

    def _wake(self) -> None:
        self._changed.set()

    def _allow(self, call: Call) -> None:
        if "allowed_updates" in call.params:
            self._allowed = call.json("allowed_updates", [])

    def _drop(self, call: Call) -> None:
        if call.flag("drop_pending_updates"):
            self.pending.clear()

    def _confirm(self, numbers: list[int]) -> None:
        for number in numbers:
            if self.pending.pop(number, None):
                self.confirmed.append(number)

    async def _deliver(self) -> None:
        """Post each update until it is answered 200, so many at a time."""
        timeout = aiohttp.ClientTimeout(total=_HOOK_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            asyncio.TaskGroup() as tasks,
        ):
            self._under_way.clear()
            while True:
                self._changed.clear()
                for number in sorted(self.pending.keys() - self._under_way):
                    if len(self._under_way) < self._most:
                        self._under_way.add(number)
                        tasks.create_task(self._post(session, number))
                await self._changed.wait()

    def _behind(self, url: str) -> str:
        for public, local in self.proxies.items():
            if url.startswith(public):
                return local + url.removeprefix(public)
        return url

    async def _post(self, session: aiohttp.ClientSession, number: int) -> None:
        pause = _FIRST_RETRY
        headers = {"X-Telegram-Bot-Api-Secret-Token": self._secret} if self._secret else {}
        while update := self.pending.get(number):
            try:
                async with session.post(
                    self._behind(self.hook), json=update, headers=headers
                ) as answer:
                    await answer.read()
                    status = answer.status
            except (aiohttp.ClientError, OSError, TimeoutError):
                status = 0
            self.hook_answers.append(status)
            if 200 <= status < 300:
                self._confirm([number])
                break
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LAST_RETRY)
        self._under_way.discard(number)
        self._wake()
