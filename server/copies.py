"""Which of a team's earlier checks are of the same picture, in another size or encoding."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import datetime

from unmask.errors import UnmaskError
from unmask.images.similarity import alike, look, may_be_alike
from unmask.queue.check_queue import CheckQueue
from unmask.queue.earlier import EarlierCheck
from unmask.report import Box, Check
from unmask.settings import Settings

#: Pictures that are compared for one check: the latest whose hashes are near.
MAX_COMPARED = 3
#: Answers that are kept: two files are alike or not for ever.
_MAX_KEPT = 10_000


class Copies:
    """Finds copies: the perceptual hash proposes, a comparison place by place decides.

    One pair of pictures is decoded and compared at a time in the whole process, in a thread.
    """

    def __init__(self, checks: CheckQueue, settings: Settings) -> None:
        self._checks = checks
        self._settings = settings
        self._slot = asyncio.Semaphore(1)
        self._kept: OrderedDict[tuple[str, str], bool] = OrderedDict()

    async def before(self, check: Check) -> tuple[datetime, ...]:
        """When its team had copies of a done check's picture checked, oldest first.

        Raises ``queue_unavailable``.
        """
        phash, earlier = await self._checks.earlier_looks(check)
        if phash is None or check.report is None:
            return ()
        near: dict[str, list[EarlierCheck]] = {}
        for other in earlier:
            if may_be_alike(phash, other.phash):
                near.setdefault(other.sha256, []).append(other)
        boxes = [face.box for face in check.report.faces]
        times: list[datetime] = []
        for others in list(near.values())[:MAX_COMPARED]:
            if await self._are_alike(check, others[0], boxes):
                times += [other.created for other in others]
        return tuple(sorted(times))

    async def _are_alike(self, check: Check, other: EarlierCheck, boxes: list[Box]) -> bool:
        pair = check.sha256, other.sha256
        async with self._slot:
            if pair not in self._kept:
                one, two = await self._picture(check.id), await self._picture(other.id)
                if one is None or two is None:
                    return False
                compared = asyncio.to_thread(_alike, one, two, boxes, self._settings)
                self._kept[pair] = await compared
                while len(self._kept) > _MAX_KEPT:
                    self._kept.popitem(last=False)
            return self._kept[pair]

    async def _picture(self, check_id: str) -> bytes | None:
        """A check's picture; None where it was deleted meanwhile."""
        try:
            return await self._checks.picture(check_id)
        except UnmaskError as error:
            if error.code == "picture_missing":
                return None
            raise


def _alike(one: bytes, other: bytes, boxes: list[Box], settings: Settings) -> bool:
    try:
        return alike(look(one, settings), look(other, settings), boxes)
    except UnmaskError:  # the limits on pictures were lowered since
        return False
