"""The calls of a bot: a method with its parameters and uploads."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from tests.bot.telegram.answers import ApiError, bad_request


@dataclass(frozen=True)
class Upload:
    """A file in a request."""

    name: str
    mime: str
    data: bytes


@dataclass
class Call:
    """One call of the bot and its answer; ``error`` is None if it succeeded."""

    number: int
    method: str
    params: dict[str, str]
    uploads: dict[str, Upload]
    at: float
    result: Any = None
    error: ApiError | None = None
    #: The kind of fault that it met, such as "drop_after".
    fault: str = ""
    done: bool = False
    notes: list[str] = field(default_factory=list)

    def text(self, name: str, default: str = "") -> str:
        return self.params.get(name, default)

    def number_of(self, name: str, default: int | None = None) -> int:
        value = self.params.get(name)
        if value in (None, ""):
            if default is None:
                raise bad_request(f"{name} is empty")
            return default
        try:
            return int(float(str(value)))
        except ValueError:
            raise bad_request(f"{name} is not a number") from None

    def flag(self, name: str) -> bool:
        return self.params.get(name, "").lower() in ("true", "1", "yes")

    def json(self, name: str, default: Any = None) -> Any:
        value = self.params.get(name)
        if value in (None, ""):
            return default
        try:
            return json.loads(str(value))
        except ValueError:
            raise bad_request(f"can't parse {name} JSON object") from None

    def upload(self, name: str) -> Upload | str:
        """The file that a parameter names: uploaded under that name, attached, or an id or URL."""
        if name in self.uploads:
            return self.uploads[name]
        return self.attached(self.params.get(name, ""))

    def attached(self, value: str) -> Upload | str:
        if value.startswith("attach://"):
            upload = self.uploads.get(value.removeprefix("attach://"))
            if upload is None:
                raise bad_request("file attached to the request was not found")
            return upload
        if not value:
            raise bad_request("there is no file in the request")
        return value

    def __str__(self) -> str:
        params = {name: value[:160] for name, value in self.params.items()}
        files = {
            name: f"{file.name}, {len(file.data)} bytes" for name, file in self.uploads.items()
        }
        how = f" -> {self.error.code} {self.error.description}" if self.error else ""
        fault = f" [{self.fault}]" if self.fault else ""
        return f"{self.number} {self.method} {params} {files or ''}{fault}{how}"


async def read_call(request: web.Request, number: int, at: float) -> Call:
    """The call of a request: from its query, form (both kinds) or JSON."""
    params = dict(request.query)
    uploads: dict[str, Upload] = {}
    if request.content_type == "application/json":
        body = await request.json()
        params |= {k: v if isinstance(v, str) else json.dumps(v) for k, v in body.items()}
    elif request.content_type == "multipart/form-data":
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise bad_request("a form in a form")
            name = part.name or ""
            data = await part.read()
            if part.filename is None:
                params[name] = data.decode()
            else:
                mime = part.headers.get("Content-Type", "application/octet-stream")
                uploads[name] = Upload(part.filename, mime, bytes(data))
    else:
        params |= {name: str(value) for name, value in (await request.post()).items()}
    return Call(number, request.match_info["method"], params, uploads, at)
