"""A request with an idempotency key is carried out once, however often it is sent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.desk.conftest import Headers, Office

pytestmark = pytest.mark.anyio


async def _post(office: Office, headers: Headers, path: str, **fields: Any) -> tuple[int, Any]:
    answer = await office.client.post(f"/v1/teams/home/{path}", headers=headers, json=fields)
    return answer.status, await answer.json()


async def test_what_is_sent_again_is_answered_and_not_done_again(office: Office) -> None:
    first, second = await office.case(), await office.case()
    sender = office.senders["checker"] | {"Idempotency-Key": "a request of the checker"}
    status, claimed = await _post(office, sender, f"cases/{first}/claim")
    assert (status, claimed["state"]) == (200, "claimed")
    assert await _post(office, sender, f"cases/{first}/claim") == (200, claimed)
    # also another action on it: what comes again after a crash may find another state
    opinion = {"verdict": "authentic", "reasoning": "The ears match."}
    assert await _post(office, sender, f"cases/{first}/decide", **opinion) == (200, claimed)
    status, error = await _post(office, sender, f"cases/{second}/claim")
    assert (status, error["error"]["code"]) == (422, "idempotency_mismatch")
    status, again = await _post(office, sender, "next")
    assert (status, again["case"]) == (200, claimed)
    for odd in ("", "x" * 201, "\u00e9"):
        status, error = await _post(office, sender | {"Idempotency-Key": odd}, "next")
        assert (status, error["error"]["code"]) == (400, "bad_request")
