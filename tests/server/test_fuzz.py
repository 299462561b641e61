"""Whatever is sent, the server answers as it promised, and never with a 500."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from aiohttp.test_utils import TestClient
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from server.context import CHECKS
from server.routes import api_document
from tests.mutations import mutations
from tests.server.server_process import Service, blank, photo, served_in_thread
from unmask.errors import ERROR_CODES

SCHEMA = schemathesis.openapi.from_dict(api_document())
PROMISES = [
    not_a_server_error,
    response_schema_conformance,
    content_type_conformance,
    status_code_conformance,
]
#: Examples for each operation, by the profile that the environment names.
EXAMPLES = {"ci": 10, "nightly": 200}[os.environ.get("FUZZ_PROFILE", "ci")]
#: Damaged pictures that are sent; tests/unmask/images/test_mutations.py opens many more.
MUTATED = 200
CONCURRENCY = 8


@pytest.fixture(scope="module")
def url(service: Service) -> Iterator[str]:
    with served_in_thread(service, longest_wait=0.2) as served:
        yield served


@pytest.fixture(scope="module")
def finished(url: str) -> str:
    """The id of a check that is done."""
    check: str = httpx.post(f"{url}/v1/checks", content=blank()).json()["id"]
    httpx.get(f"{url}/v1/checks/{check}/events", timeout=60)
    return check


@SCHEMA.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_request_is_answered_as_promised(case: schemathesis.Case, url: str) -> None:
    case.call_and_validate(base_url=url, checks=PROMISES, timeout=30)


@SCHEMA.include(method="GET", path_regex=r"\{id\}").parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_question_about_a_check_is_answered_as_promised(
    case: schemathesis.Case, url: str, finished: str
) -> None:
    case.path_parameters["id"] = finished
    case.call_and_validate(base_url=url, checks=PROMISES, timeout=30)


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
async def test_mutated_pictures_break_nothing(client: TestClient[Any, Any], portrait: Any) -> None:
    assert client.app is not None
    pictures = mutations(3, photo(portrait))
    ended: Counter[str] = Counter()

    async def send() -> None:
        for _ in range(MUTATED // CONCURRENCY):
            answer = await client.post("/v1/checks?wait=30", data=next(pictures))
            body = await answer.json()
            assert answer.status < 500, body
            ended[body.get("verdict") or body["error"]["code"]] += 1

    await asyncio.gather(*(send() for _ in range(CONCURRENCY)))
    assert ended.total() == MUTATED
    assert not {"internal", "poison_picture", "not_served"} & set(ended), ended
    refused = sum(count for name, count in ended.items() if name in ERROR_CODES)
    assert 0 < refused < MUTATED, ended
    assert (await client.app[CHECKS].stats()).workers == 1
    answer = await client.post("/v1/checks?wait=60", data=photo(portrait))
    assert (await answer.json())["verdict"] == "fake"
