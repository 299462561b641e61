"""The layers of a picture: where it has other traces of saving than elsewhere, drawn on demand."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from server.api.one_at_a_time import OneAtATime, Read
from unmask.evidence.layers.process import draw_apart
from unmask.findings import Layer
from unmask.settings import Settings


class LayerRenderer:
    """Draws layers one at a time, each in a process of its own. Requests for the same layer of the
    same picture share it; none is kept."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._turns = OneAtATime()

    async def render(self, layer: Layer, key: str, read: Read) -> bytes | None:
        """The PNG of a layer of the picture that ``read`` returns, which ``key`` stands for; None
        if it returns none.

        Raises ``busy``, and what :func:`unmask.evidence.layers.process.draw_apart` raises.
        """
        draw = partial(draw_apart, layer=layer, settings=self._settings)
        return await self._turns.make(f"{layer}/{key}", read, draw)


LAYERS = web.AppKey("layers", LayerRenderer)
