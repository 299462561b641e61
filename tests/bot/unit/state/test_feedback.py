"""Feedback on verdicts: stored as the user consented, and deleted without a trace."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.state.feedback import Feedback, Opinion
from unmask.report import Verdict
from unmask.settings import Settings


def opinion(feedback: Feedback, user: int) -> Opinion:
    return Opinion(
        giver=feedback.giver(user),
        verdict=Verdict.FAKE,
        fake_probability=0.9,
        truth="real",
        faces=1,
        model="m 1",
    )


def test_the_photo_is_stored_only_if_there_is_one(tmp_path: Path) -> None:
    feedback = Feedback(Settings(data=tmp_path), "key")
    feedback.save(opinion(feedback, 11), "a", None)
    feedback.save(opinion(feedback, 12), "b", b"photo")
    first, second = Feedback(Settings(data=tmp_path)).read()
    assert first["photo"] is None and Path(second["photo"]).read_bytes() == b"photo"
    assert first["truth"] == "real" and first["giver"] != second["giver"]
    names = list((tmp_path / "feedback").iterdir())
    assert len(names) == 3
    assert feedback.forget(12) == 1 and feedback.forget(12) == 0
    (remaining,) = (tmp_path / "feedback").iterdir()
    assert remaining.suffix == ".json" and first["id"] in remaining.name


def test_a_photo_that_was_stored_in_part_can_be_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its record exists already, so the user can delete it."""
    feedback = Feedback(Settings(data=tmp_path), "key")

    def cut_short(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:2])
        raise OSError("no space left")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="no space"):
        patch.setattr(Path, "write_bytes", cut_short)
        feedback.save(opinion(feedback, 11), "a", b"photo")
    assert feedback.forget(11) == 1
    assert list((tmp_path / "feedback").iterdir()) == []


def test_a_record_without_its_photo_says_so(tmp_path: Path) -> None:
    feedback = Feedback(Settings(data=tmp_path), "key")
    feedback.save(opinion(feedback, 11), "a", b"photo")
    next((tmp_path / "feedback").glob("*.photo")).unlink()
    (record,) = feedback.read()
    assert record["photo"] is None


def test_a_photo_is_deleted_with_its_result(tmp_path: Path) -> None:
    feedback = Feedback(Settings(data=tmp_path), "key")
    for check in ("a", "b"):
        feedback.save(opinion(feedback, 11), check, check.encode())
    feedback.forget_photo("a")
    feedback.forget_photo("never stored")
    photos = {one["photo"] and Path(one["photo"]).read_bytes() for one in feedback.read()}
    assert photos == {None, b"b"}


def test_without_feedback_there_is_nothing_to_read(tmp_path: Path) -> None:
    assert list(Feedback(Settings(data=tmp_path)).read()) == []
