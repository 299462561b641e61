"""Signing in with an account at a provider."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import RSAKey

from desk.accounts import Identities, Oidc, OidcPurpose
from desk.changes import utc_now
from tests.desk.conftest import FakeClock
from tests.desk.play import Play, refused
from unmask.settings import Settings

pytestmark = pytest.mark.anyio
KEY = RSAKey.generate_key(2048, {"kid": "one"})


@dataclass
class Provider:
    """A provider that a test bends: what it claims, and how it signs."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: KEY)
    about: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    asked: dict[str, list[str]] = field(default_factory=dict)

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        } | self.about

    def approve(self, address: str) -> None:
        """The person agrees at the provider."""
        self.asked = parse_qs(urlsplit(address).query)

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        fits = challenge == self.asked["code_challenge"][0] and form["code"] == "good"
        if not fits or form["client_secret"] != "hush":
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(utc_now().timestamp())
        claims = {
            "iss": self.url,
            "aud": "unmask",
            "sub": "account-1",
            "exp": now + 300,
            "iat": now,
            "nonce": self.asked["nonce"][0],
            "name": "Bob B.",
            "email": "bob@example.org",
        } | self.claims
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)
        return web.json_response({"id_token": token}, status=self.status)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    provider, app = Provider(), web.Application()

    async def discovery(_: web.Request) -> web.Response:
        return web.json_response(provider.discovery())

    async def keys(_: web.Request) -> web.Response:
        return web.json_response({"keys": [KEY.as_dict(private=False)]})

    app.router.add_get("/.well-known/openid-configuration", discovery)
    app.router.add_get("/keys", keys)
    app.router.add_post("/token", provider.token)
    async with TestServer(app) as server:
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
