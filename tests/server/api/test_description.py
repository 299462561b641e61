"""The API's descriptions agree with its routes: for machines, for readers, in docs/api.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from openapi_spec_validator import validate

from server.routes import API, PAGES, Route, api_document
from unmask.errors import ERROR_CODES

pytestmark = pytest.mark.anyio
DOCS = Path(__file__).parents[3] / "docs"


def names(routes: tuple[Route, ...]) -> set[tuple[str, str]]:
    """The routes as the documents name them."""
    return {(route.method, route.canonical) for route in routes}


def described() -> set[tuple[str, str]]:
    return {
        (method.upper(), path)
        for path, item in api_document()["paths"].items()
        for method in item
        if method != "parameters"
    }


def test_the_document_is_valid() -> None:
    validate(api_document())


def test_each_route_of_the_api_is_described_and_no_other() -> None:
    assert described() == names(API)


def test_operations_have_names_of_their_own() -> None:
    operations = [
        operation["operationId"]
        for item in api_document()["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]
    assert len(operations) == len(set(operations))


def test_docs_name_every_route() -> None:
    text = (DOCS / "api.md").read_text() + (DOCS / "desk-api.md").read_text()
    for method, path in described() | names(PAGES):
        assert f"`{method} {path}`" in text, f"{method} {path}"
    for named in re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`]*)`", text):
        assert named in described() | names(PAGES), named


def test_docs_name_no_code_that_is_none() -> None:
    for name in ("api.md", "security.md", "privacy.md"):
        for code in re.findall(r"error `([a-z_]+)`", (DOCS / name).read_text()):
            assert code in ERROR_CODES, (name, code)


async def test_the_reference_shows_every_operation(client: TestClient[Any, Any]) -> None:
    text = await (await client.get("/reference")).text()
    for item in api_document()["paths"].values():
        for method, operation in item.items():
            if method != "parameters":
                assert f'id="{operation["operationId"]}"' in text
    assert (await (await client.get("/openapi.json")).json())["openapi"].startswith("3.1")


async def test_the_model_is_told(client: TestClient[Any, Any]) -> None:
    model = await (await client.get("/v1/model")).json()
    assert (model["name"], model["version"], len(model["sha256"])) == ("colour", "0.0.1", 64)
    assert set(model["thresholds"]) == {"fake", "real", "mask", "family"}


def test_headers_that_a_caller_needs_are_described() -> None:
    paths = api_document()["paths"]
    made = paths["/v1/checks"]["post"]["responses"]
    assert all("Location" in made[status]["headers"] for status in ("200", "202"))
    assert all("Retry-After" in made[status]["headers"] for status in ("429", "503", "default"))
    for path, method in (("/v1/checks/bulk", "post"), ("/v1/checks/{id}/original.jpg", "get")):
        assert "Retry-After" in paths[path][method]["responses"]["503"]["headers"]
    assert "headers" not in paths["/readyz"]["get"]["responses"]["503"]
