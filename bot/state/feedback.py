"""What users report about wrong verdicts: one file each, with the photo only if they consented."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import BaseModel, Field

from unmask.report import Verdict
from unmask.settings import Settings


class Opinion(BaseModel):
    """One piece of feedback.

    ``giver`` is a keyed hash of the user: it finds their feedback when they want it deleted, and
    does not identify them. ``photo`` is the name of a file beside it, if any.
    """

    id: str = Field(default_factory=lambda: uuid4().hex)
    time: datetime = Field(default_factory=lambda: datetime.now(UTC))
    giver: str
    verdict: Verdict
    fake_probability: float | None
    truth: str
    faces: int
    model: str
    photo: str | None = None


class Feedback:
    """Keeps opinions in ``UNMASK_DATA/feedback`` until somebody deletes them. Methods block."""

    def __init__(self, settings: Settings, key: str = "") -> None:
        """``key`` is the secret of the keyed hash; reading needs none."""
        self._folder = settings.data.expanduser() / "feedback"
        self._key = key.encode()

    def giver(self, user: int) -> str:
        """The keyed hash of a user."""
        return hmac.new(self._key, str(user).encode(), hashlib.sha256).hexdigest()[:16]

    def save(self, opinion: Opinion, check: str, photo: bytes | None) -> None:
        """Store an opinion about a check, with the photo unless it is None; raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if photo is not None:
            opinion = opinion.model_copy(update={"photo": self._photo(check).name})
        unfinished = self._folder / f".{opinion.id}"
        unfinished.write_text(opinion.model_dump_json(), encoding="utf-8")
        unfinished.rename(self._folder / f"{opinion.id}.json")
        if photo is not None:  # after its record, without which /delete would not find it
            self._photo(check).write_bytes(photo)

    def read(self) -> Iterator[dict[str, Any]]:
        """All opinions, oldest first; ``photo`` is the whole path."""
        records = [json.loads(path.read_text(encoding="utf-8")) for path in self._records()]
        for record in sorted(records, key=lambda record: str(record["time"])):
            photo = self._folder / (record["photo"] or "")
            record["photo"] = str(photo) if photo.is_file() else None
            yield record

    def forget(self, user: int) -> int:
        """Delete a user's feedback; returns how many opinions that were."""
        giver, count = self.giver(user), 0
        for path in self._records():
            record = json.loads(path.read_text(encoding="utf-8"))
            if record["giver"] == giver:
                if record["photo"]:
                    (self._folder / record["photo"]).unlink(missing_ok=True)
                path.unlink(missing_ok=True)
                count += 1
        return count

    def forget_photo(self, check: str) -> None:
        """Delete the photo of a check, if there is one; the opinion stays."""
        self._photo(check).unlink(missing_ok=True)

    def _photo(self, check: str) -> Path:
        return self._folder / f"{check}.photo"

    def _records(self) -> list[Path]:
        return list(self._folder.glob("*.json"))
