"""What the desk's routes answer: models as JSON, and the version of a case as its ETag."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from desk.cases import CaseRecord
from server.api.responses import json_response


def model_response(model: BaseModel, status: int = 200, **headers: str) -> web.Response:
    """A model as JSON."""
    return json_response(model.model_dump(mode="json"), status, **headers)


def list_response(name: str, models: Iterable[BaseModel]) -> web.Response:
    """Models as a list in an object, under a name."""
    return json_response({name: [model.model_dump(mode="json") for model in models]})


def case_response(case: CaseRecord, status: int = 200) -> web.Response:
    """A case as it stands after a change; its ETag is what ``If-Match`` takes."""
    return model_response(case, status, ETag=f'"{case.version}"')


def done(**values: Any) -> web.Response:
    """An answer that says that something was done."""
    return json_response({"done": True, **values})
