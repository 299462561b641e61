"""Decided cases as a data set that model_training reads."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from desk.outgoing.training import split_of
from desk.pictures import Source
from desk.vocabulary import HumanVerdict
from model_training.dataset.data import read_dataset
from tests.conftest import Pixels
from tests.desk.checks import StubChecks, jpeg, pattern, with_other_face
from tests.desk.play import Play, judgement, refused

pytestmark = pytest.mark.anyio


async def _decided(
    play: Play, checks: StubChecks, data: bytes, verdict: HumanVerdict, machine: float = 0.9
) -> int:
    sent = await play.desk.intake.send(play.bob, checks.add(data, machine, face=True), Source())
    await play.desk.opinions.decide(play.bob, sent.case or 0, judgement(verdict))
    return sent.case or 0


async def _unpacked(play: Play, folder: Path, *, overruled: bool = False) -> Path:
    pieces = [piece async for piece in play.desk.training.stream(play.bob, overruled=overruled)]
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        archive.extractall(folder)
    return folder


async def test_model_training_reads_what_people_decided(
    play: Play, checks: StubChecks, portrait: Pixels, tmp_path: Path
) -> None:
    with refused("not_allowed"):
        await _unpacked(play, tmp_path)
    await play.rules(allow_training=True)
    photo, fake = jpeg(portrait), jpeg(with_other_face(portrait))
    await _decided(play, checks, photo, HumanVerdict.AUTHENTIC)
    await _decided(play, checks, fake, HumanVerdict.MANIPULATED)
    await _decided(play, checks, jpeg(pattern(80)), HumanVerdict.OUT_OF_CONTEXT, machine=0.1)
    await _decided(play, checks, jpeg(pattern(81)), HumanVerdict.CANNOT_TELL)
    rows = read_dataset(await _unpacked(play, tmp_path / "all"))
    labels = sorted((row.label, row.kind) for row in rows)
    assert labels == [(0, "real"), (0, "real"), (1, "manipulated")]
    by_bytes = {row.path.read_bytes(): row for row in rows}
    # the photograph and its fake were suggested to be one picture: they stay on one side
    assert by_bytes[photo].group == by_bytes[fake].group
    assert by_bytes[photo].split == by_bytes[fake].split
    (only,) = read_dataset(await _unpacked(play, tmp_path / "overruled", overruled=True))
    assert only.path.read_bytes() == photo
    with refused("not_allowed"):
        [piece async for piece in play.desk.training.stream(play.vera)]


def test_splits_are_eight_one_one() -> None:
    splits = [split_of(group) for group in range(5_000)]
    assert 0.77 < splits.count("train") / 5_000 < 0.83
    assert splits.count("val") > 400 and splits.count("test") > 400
