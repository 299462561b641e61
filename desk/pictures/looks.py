"""What a picture looks like, as the database keeps it, and which others look like it.

A hash may propose, never join: 48 of 246 pairs of portraits within 6 bits were a photograph and a
fake of it. So what is near by hash is compared place by place (:mod:`unmask.images.similarity`),
and only a picture that passes joins a case by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from desk.models import Case, Picture
from unmask.images.similarity import MAX_BITS, Look, alike, look, mirrored_bits
from unmask.report import Box
from unmask.settings import Settings

#: Bits within which a suggestion is made, where the comparison did not confirm it.
MAX_SUGGESTED_BITS = 10
#: Candidates of one band, and those that are compared.
MAX_OF_BAND, MAX_COMPARED = 20_000, 5
#: A picture whose grey levels deviate less than this is too flat for the hash to say anything.
PLAIN_DEVIATION = 6.0
#: Pictures that are decoded at one time.
_CONCURRENCY = 2
_BAND, _BANDS = 16, 4
_MASK = (1 << 64) - 1


@dataclass(frozen=True)
class Appearance:
    """A picture's look, the hash of its mirror image, the boxes of its faces, and whether it is too
    plain to be compared."""

    look: Look
    mirrored: int
    faces: tuple[Box, ...]
    is_plain: bool

    def is_copy_of(self, other: Appearance) -> bool:
        """Whether both show one picture, apart from encoding and size; symmetric."""
        one = alike(self.look, other.look, self.faces)
        return one and alike(other.look, self.look, other.faces)


@dataclass(frozen=True)
class Near:
    """A picture whose hash is near; ``distance`` in bits. ``case_id`` is the case that it leads
    to, ``store_key`` and ``picture_id`` are of that case's own picture, which is compared: near
    copies of near copies would drift."""

    case_id: int
    picture_id: int
    store_key: str
    distance: int


class Looker:
    """Looks at pictures in threads, few at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._slots = asyncio.Semaphore(_CONCURRENCY)

    async def look(self, data: bytes, faces: Sequence[Box]) -> Appearance:
        """The appearance of a picture's bytes; raises what decoding them does."""
        async with self._slots:
            return await asyncio.to_thread(self._look, data, tuple(faces))

    def _look(self, data: bytes, faces: tuple[Box, ...]) -> Appearance:
        seen = look(data, self._settings)
        small = np.asarray(seen.grey.resize((32, 32)), np.float32)
        is_plain = bool(small.std() < PLAIN_DEVIATION)
        return Appearance(seen, mirrored_bits(seen), faces, is_plain)


def signed(bits: int) -> int:
    """A hash of 64 bits as the signed number that a database holds."""
    return bits - (1 << 64) if bits >> 63 else bits


def bands(bits: int) -> tuple[int, int, int, int]:
    """The four bands of 16 bits of a hash, the highest first."""
    first, second, third, fourth = (
        bits >> shift & 0xFFFF for shift in range(_BAND * (_BANDS - 1), -1, -_BAND)
    )
    return first, second, third, fourth


async def near_pictures(
    session: AsyncSession, team_id: int, bits: int, *, most: int = MAX_COMPARED
) -> list[Near]:
    """The cases that a hash is near to, the nearest and then the newest first.

    Complete for distances up to 7: then one of four bands differs in at most one bit, so 17 values
    of each band are looked up. What is farther is found only where a band happens to be near.
    """
    parts = []
    columns = (Picture.b0, Picture.b1, Picture.b2, Picture.b3)
    for column, band in zip(columns, bands(bits), strict=True):
        probes = [band, *(band ^ (1 << bit) for bit in range(_BAND))]
        part = (
            sa.select(Picture.phash, Picture.id)
            .where(Picture.team_id == team_id, column.in_(probes))
            .limit(MAX_OF_BAND)
            .subquery()
        )
        parts.append(sa.select(part.c.phash, part.c.id))
    rows = await session.execute(sa.union_all(*parts))  # one question: each is a round trip
    found = {picture_id: phash for phash, picture_id in rows}
    distances = _distances(found, bits)
    near = sorted(distances, key=lambda picture_id: (distances[picture_id], -picture_id))
    return await _cases_of(session, near[:200], distances, most)


def _distances(hashes: dict[int, int], bits: int) -> dict[int, int]:
    """The distance of each near hash, by the picture's number."""
    ids = np.fromiter(hashes, np.int64, len(hashes))
    values = np.fromiter(hashes.values(), np.int64, len(hashes)).view(np.uint64)
    counts = np.bitwise_count(values ^ np.uint64(bits & _MASK))
    return {
        int(picture_id): int(count)
        for picture_id, count in zip(ids, counts, strict=True)
        if count <= MAX_SUGGESTED_BITS
    }


async def _cases_of(
    session: AsyncSession, near: Sequence[int], distances: dict[int, int], most: int
) -> list[Near]:
    """The cases of near pictures, each once, by the case's own picture."""
    if not near:
        return []
    own = aliased(Picture)
    rows = await session.execute(
        sa.select(Picture.id, Case.id, own.id, own.store_key, own.is_plain, Picture.is_plain)
        .join(Case, Case.id == Picture.case_id)
        .join(own, own.id == Case.picture_id)
        .where(Picture.id.in_(near))
    )
    by_picture = {row[0]: row[1:] for row in rows}
    cases: dict[int, Near] = {}
    for picture_id in near:
        case_id, own_id, key, own_plain, is_plain = by_picture[picture_id]
        if case_id not in cases and not own_plain and not is_plain:
            cases[case_id] = Near(case_id, own_id, key, distances[picture_id])
    return list(cases.values())[:most]


def is_near_enough(near: Near) -> bool:
    """Whether a picture is near enough to be compared, so that it may join."""
    return near.distance <= MAX_BITS
