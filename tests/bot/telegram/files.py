"""Files as Telegram keeps them: a new id for each message, and a unique id of the file itself."""

from __future__ import annotations

import base64
import mimetypes
import secrets
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from pathlib import PurePath

from PIL import Image

from tests.bot.telegram.answers import Json, bad_request

#: Longest side of the sizes of a photo, by Telegram's letters.
SIZES = {"s": 90, "m": 320, "x": 800, "y": 1280}
JPEG_QUALITY = 87


@dataclass(frozen=True)
class File:
    """A file that Telegram keeps; only pictures have ``width`` and ``height``."""

    id: str
    unique_id: str
    kind: str
    data: bytes
    path: str
    name: str = ""
    mime: str = ""
    width: int = 0
    height: int = 0

    @property
    def size_json(self) -> Json:
        """As a PhotoSize."""
        return {
            "file_id": self.id,
            "file_unique_id": self.unique_id,
            "width": self.width,
            "height": self.height,
            "file_size": len(self.data),
        }

    @property
    def document_json(self) -> Json:
        fields = {
            "file_id": self.id,
            "file_unique_id": self.unique_id,
            "file_size": len(self.data),
            "file_name": self.name,
            "mime_type": self.mime,
        }
        return {name: value for name, value in fields.items() if value != ""}


class Files:
    """Every file that was sent."""

    def __init__(self) -> None:
        self._by_id: dict[str, File] = {}
        self._by_path: dict[str, File] = {}
        self._number = count()

    def keep(
        self,
        data: bytes,
        kind: str,
        *,
        name: str = "",
        mime: str | None = None,
        size: tuple[int, int] = (0, 0),
    ) -> File:
        number = next(self._number)
        ending = PurePath(name).suffix or {"photo": ".jpg", "sticker": ".webp"}.get(kind, "")
        file = File(
            id=_new_id(),
            unique_id=base64.urlsafe_b64encode(secrets.token_bytes(11)).decode().rstrip("="),
            kind=kind,
            data=data,
            path=f"{kind}s/file_{number}{ending}",
            name=name,
            mime=mimetypes.guess_type(name)[0] or "" if mime is None else mime,
            width=size[0],
            height=size[1],
        )
        return self._entered(file)

    def again(self, file: File) -> File:
        """The same file in another message: another id, the same unique id, the same bytes."""
        return self._entered(File(**{**file.__dict__, "id": _new_id()}))

    def photo(self, data: bytes) -> list[File]:
        """The sizes of a photo that somebody sends, smallest first, re-encoded as Telegram does."""
        with Image.open(BytesIO(data)) as opened:
            image = opened.convert("RGB")
        sides = [side for side in SIZES.values() if side < max(image.size)]
        return [self._shrunk(image, side) for side in (*sides, SIZES["y"])[: len(SIZES)]]

    def thumbnail(self, data: bytes, side: int = SIZES["m"]) -> File:
        with Image.open(BytesIO(data)) as opened:
            return self._shrunk(opened.convert("RGB"), side)

    def by_id(self, file_id: str) -> File:
        try:
            return self._by_id[file_id]
        except KeyError:
            why = "wrong file identifier/HTTP URL specified"
            raise bad_request(why) from None

    def by_path(self, path: str) -> File | None:
        return self._by_path.get(path)

    def _shrunk(self, image: Image.Image, side: int) -> File:
        copy = image.copy()
        copy.thumbnail((side, side), Image.Resampling.LANCZOS)
        out = BytesIO()
        copy.save(out, "JPEG", quality=JPEG_QUALITY)
        return self.keep(out.getvalue(), "photo", size=copy.size)

    def _entered(self, file: File) -> File:
        self._by_id[file.id] = self._by_path[file.path] = file
        return file


def _new_id() -> str:
    """As long as Telegram's, which is too long for a button."""
    return "AgACAgIAAxk" + base64.urlsafe_b64encode(secrets.token_bytes(48)).decode()
