"""Signing in with an account at a provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from joserfc.jwk import RSAKey

from desk.accounts import Identities, Oidc, OidcPurpose
from desk.changes import utc_now
from tests.desk.accounts.provider import KEY, Provider
from tests.desk.conftest import FakeClock
from tests.desk.play import Play, refused
from unmask.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    provider = Provider()
    async with TestServer(provider.app()) as server:
        provider.url = f"http://127.0.0.1:{server.port}"
        yield provider


def _oidc(play: Play, provider: Provider) -> Oidc:
    changes = play.desk.changes
    settings = Settings(
        oidc_issuer=provider.url,
        oidc_client_id="unmask",
        oidc_client_secret="hush",  # type: ignore[arg-type]
        public_url="https://desk.example.org",
    )
    changes.clock.now = utc_now()  # type: ignore[attr-defined]
    return Oidc(changes, Identities(changes), settings)


async def test_an_account_lets_its_person_in_once_it_is_tied(
    play: Play, provider: Provider
) -> None:
    oidc, bob = _oidc(play, provider), play.bob.person_id or 0
    state, address = await oidc.begin(OidcPurpose.TIE, "note")
    provider.approve(address)
    assert provider.asked["redirect_uri"] == ["https://desk.example.org/login/oidc"]
    account = await oidc.finish(state, "good")
    assert (account.person_id, account.name, account.note) == (None, "Bob B.", "note")
    await oidc.tie(bob, account)
    with refused("already_exists"):
        await oidc.tie(play.cleo.person_id or 0, account)
    state, address = await oidc.begin(OidcPurpose.SIGN_IN)
    provider.approve(address)
    assert (await oidc.finish(state, "good")).person_id == bob
    await Identities(play.desk.changes).remove(
        bob, (await Identities(play.desk.changes).list(bob))[0].id
    )


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": ["unmask", "another"], "azp": "another"},
        {"exp": 1},
        {"nonce": "of another sign-in"},
        {"sub": None},
    ],
)
async def test_a_token_that_is_not_right_is_refused(
    play: Play, provider: Provider, claims: dict[str, Any]
) -> None:
    oidc = _oidc(play, provider)
    state, address = await oidc.begin(OidcPurpose.SIGN_IN)
    provider.approve(address)
    provider.claims = claims
    with refused("sign_in_failed"):
        await oidc.finish(state, "good")


async def test_what_else_goes_wrong(play: Play, provider: Provider, clock: FakeClock) -> None:
    oidc = _oidc(play, provider)

    async def finish(code: str = "good", **bent: Any) -> None:
        state, address = await oidc.begin(OidcPurpose.SIGN_IN)
        provider.approve(address)
        for name, value in bent.items():
            setattr(provider, name, value)
        await oidc.finish(state, code)

    with refused("sign_in_failed"):
        await finish("bad")
    with refused("sign_in_failed"):  # signed by somebody else
        await finish(key=RSAKey.generate_key(2048, {"kid": "one"}))
    provider.key = KEY
    with refused("not_ready"):
        await finish(status=500)
    provider.status = 200
    state, address = await oidc.begin(OidcPurpose.SIGN_IN)
    provider.approve(address)
    await oidc.finish(state, "good")
    with refused("link_invalid"):
        await oidc.finish(state, "good")
    for about in (
        {"issuer": "https://evil.example"},
        {"token_endpoint": 5},
        {"authorization_endpoint": "http://evil.example/"},
    ):
        provider.about = about
        with refused("not_ready"):
            await oidc.begin(OidcPurpose.SIGN_IN)


async def test_without_a_provider_there_is_none(play: Play) -> None:
    assert not play.desk.oidc.is_set
    with refused("not_found"):
        await play.desk.oidc.begin(OidcPurpose.SIGN_IN)
