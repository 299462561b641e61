"""How the bot speaks to a Telegram that is slow, full or gone; and what it takes for a photo."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TimedOut

from bot import files
from bot.replies import photo as photo_form
from bot.replies.photo import as_photo
from bot.state.feedback import Feedback, Opinion
from bot.transport import rate_limiter
from bot.transport.rate_limiter import Pace
from bot.transport.retry import deliver, patiently
from unmask.errors import UnmaskError
from unmask.report import Verdict
from unmask.settings import Settings

pytestmark = pytest.mark.anyio


class Telegram:
    """Fails as it is told to, then takes what comes."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.calls = 0

    async def call(self, *_: Any, **__: Any) -> bool:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return True


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made; none takes any time."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return pauses


async def test_what_is_owed_is_tried_until_it_is_taken(slept: list[float]) -> None:
    telegram = Telegram(TimedOut(), NetworkError("gone"), RetryAfter(timedelta(seconds=90)))
    assert await deliver(telegram.call, time.time() + 3600)
    assert telegram.calls == 4
    assert slept[2] == 90, "as long as Telegram says"


@pytest.mark.parametrize("refusal", [BadRequest("no"), Forbidden("no")])
async def test_a_refusal_is_final(slept: list[float], refusal: Exception) -> None:
    telegram = Telegram(refusal)
    with pytest.raises(type(refusal)):
        await deliver(telegram.call, time.time() + 3600)
    assert not slept


async def test_some_day_it_is_given_up(slept: list[float]) -> None:
    telegram = Telegram(*[NetworkError("gone")] * 3)
    with pytest.raises(NetworkError):
        await deliver(telegram.call, time.time())


async def test_a_step_waits_for_redis(slept: list[float]) -> None:
    away = Telegram(*[UnmaskError("queue_unavailable", "")] * 7)
    assert await patiently(away.call)
    assert slept == [0.5, 1, 2, 4, 8, 10, 10]


@pytest.mark.parametrize("code", ["queue_unavailable", "not_found"])
async def test_but_for_nothing_else_and_not_for_ever(slept: list[float], code: str) -> None:
    away = Telegram(*[UnmaskError(code, "")] * 7)
    with pytest.raises(UnmaskError):
        await patiently(away.call, time.time() if code == "queue_unavailable" else math.inf)
    assert not slept


async def process(telegram: Telegram, endpoint: str = "sendMessage") -> Any:
    return await Pace(30).process_request(
        telegram.call, (), {}, endpoint, {"chat_id": 1}, rate_limit_args=None
    )


async def test_a_call_waits_as_long_as_it_is_told_to(slept: list[float]) -> None:
    telegram = Telegram(RetryAfter(timedelta(seconds=3)), RetryAfter(timedelta(seconds=4)))
    assert await process(telegram)
    assert slept == [3.1, 4.1]


async def test_but_not_for_ever(slept: list[float]) -> None:
    with pytest.raises(RetryAfter):
        await process(Telegram(RetryAfter(timedelta(seconds=rate_limiter.LONGEST_WAIT + 1))))
    assert not slept


async def served(calls: list[tuple[int, str]], per_second: int = 30) -> list[int]:
    """Which of some calls (chat, endpoint), made at once, Telegram gets before any has to wait."""
    pace, got = Pace(per_second), []

    async def call(number: int, chat: int, endpoint: str) -> None:
        async def taken(*_: Any, **__: Any) -> bool:
            got.append(number)
            return True

        await pace.process_request(taken, (), {}, endpoint, {"chat_id": chat}, rate_limit_args=None)

    tasks = [asyncio.create_task(call(number, *of)) for number, of in enumerate(calls)]
    for _ in range(20):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return got


async def test_no_more_messages_than_telegram_allows() -> None:
    wanted = [(chat, "sendMessage") for chat in range(1, 8)]
    assert await served(wanted, per_second=5) == [0, 1, 2, 3, 4]


async def test_no_more_messages_to_one_group_than_telegram_allows() -> None:
    wanted = [(-5, "sendMessage")] * 22 + [(-6, "sendMessage"), (7, "sendMessage")]
    assert await served(wanted) == [*range(20), 22, 23]


async def test_what_sends_no_message_does_not_wait() -> None:
    wanted = [(1, "sendMessage")] * 2 + [(1, "setMessageReaction"), (1, "sendChatAction")]
    assert await served(wanted, per_second=1) == [0, 2, 3]


@pytest.mark.parametrize("endpoint", ["setMessageReaction", "sendChatAction"])
async def test_a_sign_of_life_is_not_worth_waiting_for(slept: list[float], endpoint: str) -> None:
    with pytest.raises(RetryAfter):
        await process(Telegram(RetryAfter(timedelta(seconds=1))), endpoint)
    assert not slept


def picture(width: int, height: int, kind: str = "JPEG") -> bytes:
    out = BytesIO()
    Image.new("L" if kind == "PNG" else "RGB", (width, height)).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(
    ("size", "kind", "smaller"),
    [
        ((640, 480), "JPEG", False),
        ((640, 480), "PNG", False),
        ((6000, 4001), "JPEG", True),
        ((6000, 4001), "PNG", True),
        ((2100, 100), "JPEG", True),
        ((16, 9000), "JPEG", True),
    ],
)
def test_what_telegram_takes_for_a_photo(size: tuple[int, int], kind: str, smaller: bool) -> None:
    data = picture(*size, kind)
    photo, was_changed = as_photo(data)
    assert was_changed is smaller and (photo == data) is not smaller
    width, height = Image.open(BytesIO(photo)).size
    assert width + height <= photo_form.PHOTO_SIDES and len(photo) <= photo_form.PHOTO_BYTES
    assert max(width, height) <= photo_form.PHOTO_RATIO * min(width, height)


def first_frame(data: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "unmask.images.clip"]
    return subprocess.run(command, input=data, capture_output=True, check=False)


def test_the_first_frame_of_a_clip(tmp_path: Path) -> None:
    path = str(tmp_path / "clip.mp4")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"mp4v"), 5, (64, 48))
    for shade in (200, 20):
        writer.write(np.full((48, 64, 3), shade, np.uint8))
    writer.release()
    done = first_frame(Path(path).read_bytes())
    assert done.returncode == 0
    frame = np.asarray(Image.open(BytesIO(done.stdout)))
    assert frame.shape == (48, 64, 3) and abs(float(frame.mean()) - 200) < 8


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 400,
        b"\x1a\x45\xdf\xa3" + b"\xff" * 400,
        picture(9, 9),
    ],
)
def test_a_clip_without_a_frame(data: bytes) -> None:
    done = first_frame(data)
    assert done.returncode == 1 and not done.stdout


async def test_a_clip_that_takes_too_long_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decoder that is killed here keeps its copy of the file, as any would."""
    slow, kept, seen = tmp_path / "slow", tmp_path / "kept", tmp_path / "seen"
    slow.write_text(f'#!/bin/sh\ncat > "$TMPDIR/clip"\ncp "$TMPDIR/clip" "{seen}"\nexec sleep 60\n')
    slow.chmod(0o700)
    kept.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(kept))
    monkeypatch.setattr(files.sys, "executable", str(slow))
    monkeypatch.setattr(files, "_CLIP_SECONDS", 1.0)
    assert await files._first_frame(b"a stranger's video") is None
    assert seen.read_bytes() == b"a stranger's video"
    assert not list(kept.iterdir())


async def test_the_decoder_of_clips_does_not_see_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teller = tmp_path / "teller"
    teller.write_text("#!/bin/sh\nenv\n")
    teller.chmod(0o700)
    monkeypatch.setattr(files.sys, "executable", str(teller))
    monkeypatch.setenv("UNMASK_TELEGRAM_TOKEN", "1:secret")
    monkeypatch.setenv("REDIS_URL", "redis://:secret@localhost")
    told = await files._first_frame(b"")
    assert told is not None and b"TMPDIR=" in told and b"secret" not in told


def opinion(feedback: Feedback, user: int) -> Opinion:
    return Opinion(
        giver=feedback.giver(user),
        verdict=Verdict.FAKE,
        fake_probability=0.9,
        truth="real",
        faces=1,
        model="m 1",
    )


def test_feedback_is_kept_with_the_photo_only_if_it_is_given(tmp_path: Path) -> None:
    feedback = Feedback(Settings(data=tmp_path), "key")
    feedback.keep(opinion(feedback, 11), "a", None)
    feedback.keep(opinion(feedback, 12), "b", b"photo")
    first, second = Feedback(Settings(data=tmp_path)).read()
    assert first["photo"] is None and Path(second["photo"]).read_bytes() == b"photo"
    assert first["truth"] == "real" and first["giver"] != second["giver"]
    names = list((tmp_path / "feedback").iterdir())
    assert len(names) == 3
    assert feedback.forget(12) == 1 and feedback.forget(12) == 0
    (left,) = (tmp_path / "feedback").iterdir()
    assert left.suffix == ".json" and first["id"] in left.name


def test_a_photo_that_cannot_be_kept_leaves_nothing_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever of it was written, its giver can have it deleted."""
    feedback = Feedback(Settings(data=tmp_path), "key")

    def cut_short(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:2])
        raise OSError("no space left")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="no space"):
        patch.setattr(Path, "write_bytes", cut_short)
        feedback.keep(opinion(feedback, 11), "a", b"photo")
    assert feedback.forget(11) == 1
    assert list((tmp_path / "feedback").iterdir()) == []


def test_feedback_whose_photo_never_came_has_none(tmp_path: Path) -> None:
    feedback = Feedback(Settings(data=tmp_path), "key")
    feedback.keep(opinion(feedback, 11), "a", b"photo")
    next((tmp_path / "feedback").glob("*.photo")).unlink()
    (record,) = feedback.read()
    assert record["photo"] is None


def test_a_photo_goes_with_its_result(tmp_path: Path) -> None:
    feedback = Feedback(Settings(data=tmp_path), "key")
    for check in ("a", "b"):
        feedback.keep(opinion(feedback, 11), check, check.encode())
    feedback.forget_photo("a")
    feedback.forget_photo("never given")
    photos = {one["photo"] and Path(one["photo"]).read_bytes() for one in feedback.read()}
    assert photos == {None, b"b"}


def test_without_feedback_there_is_nothing_to_read(tmp_path: Path) -> None:
    assert list(Feedback(Settings(data=tmp_path)).read()) == []
