"""A client of WebDriver BiDi, as far as these tests need it, for tests that block."""

from __future__ import annotations

import asyncio
import json
from itertools import count
from typing import Any

import aiohttp

from tests.browser.extension.loop import Loop

#: WebDriver's key codes for those that have no character.
KEYS = {"Escape": "\ue00c"}


class BidiError(Exception):
    """The browser refused a command, or what was evaluated threw."""


class Bidi:
    """One session. Commands are named as in the specification."""

    def __init__(self, loop: Loop, url: str) -> None:
        self._loop = loop
        self._number = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        loop.run(self._connect(url))
        self.send("session.new", capabilities={})

    async def _connect(self, url: str) -> None:
        self._client = aiohttp.ClientSession()
        self._socket = await self._client.ws_connect(f"{url}/session", max_msg_size=0)
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            told = message.json()
            waiting = self._waiting.pop(told.get("id"), None)
            if waiting is not None:
                waiting.set_result(told)
        for waiting in self._waiting.values():
            waiting.set_exception(BidiError("the browser is gone"))

    async def _ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        number = next(self._number)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        told: dict[str, Any] = await answer
        return told

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a command; raises :class:`BidiError`."""
        told = self._loop.run(self._ask(method, params))
        if told["type"] == "error":
            raise BidiError(f"{method}: {told['error']}: {told['message']}")
        result: dict[str, Any] = told["result"]
        return result

    def close(self) -> None:
        async def closed() -> None:
            await self._socket.close()
            await self._reading
            await self._client.close()

        self._loop.run(closed())

    def evaluate(self, context: str, expression: str) -> Any:
        """The value of an expression in a tab, awaited; raises :class:`BidiError` if it throws."""
        told = self.send(
            "script.evaluate",
            expression=expression,
            target={"context": context},
            awaitPromise=True,
            userActivation=True,
        )
        if told["type"] == "exception":
            raise BidiError(told["exceptionDetails"]["text"])
        return plain(told["result"])

    def shadow(self, context: str, host: str) -> str:
        """A reference to the shadow root of the first element ``host``, closed ones too; raises
        :class:`BidiError` where there is none."""
        told = self.send(
            "script.evaluate",
            expression=f"document.querySelector({json.dumps(host)})",
            target={"context": context},
            awaitPromise=False,
            serializationOptions={"includeShadowTree": "all", "maxDomDepth": 1},
        )
        root = told["result"].get("value", {}).get("shadowRoot")
        if root is None:
            raise BidiError(f"<{host}> has no shadow root")
        return str(root["sharedId"])

    def call(self, context: str, function: str, *references: str) -> Any:
        """What a function in a tab returns for the nodes referred to."""
        told = self.send(
            "script.callFunction",
            functionDeclaration=function,
            arguments=[{"sharedId": one} for one in references],
            target={"context": context},
            awaitPromise=True,
        )
        if told["type"] == "exception":
            raise BidiError(told["exceptionDetails"]["text"])
        return plain(told["result"])

    def open(self, url: str) -> str:
        """A new tab at ``url``."""
        context: str = self.send("browsingContext.create", type="tab")["context"]
        self.send("browsingContext.navigate", context=context, url=url, wait="complete")
        return context

    def press(self, context: str, x: float, y: float, button: int = 0) -> None:
        """A click of a mouse's button at a place in the tab's viewport."""
        move = {"type": "pointerMove", "x": round(x), "y": round(y)}
        down, up = ({"type": f"pointer{way}", "button": button} for way in ("Down", "Up"))
        self._act(context, {"type": "pointer", "id": "mouse", "actions": [move, down, up]})

    def key(self, context: str, name: str) -> None:
        value = KEYS[name]
        actions = [{"type": f"key{way}", "value": value} for way in ("Down", "Up")]
        self._act(context, {"type": "key", "id": "keyboard", "actions": actions})

    def _act(self, context: str, source: dict[str, Any]) -> None:
        self.send("input.performActions", context=context, actions=[source])


def plain(told: dict[str, Any]) -> Any:
    """A value of BiDi's as one of Python's."""
    kind, value = told["type"], told.get("value")
    if kind in {"undefined", "null"}:
        return None
    if kind in {"array", "set"}:
        return [plain(one) for one in value or ()]
    if kind == "object":
        return {name: plain(one) for name, one in value or ()}
    return value
