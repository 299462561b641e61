"""A provider of OpenID Connect for the tests."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

from desk.changes import utc_now

KEY = RSAKey.generate_key(2048, {"kid": "one"})


@dataclass
class Provider:
    """A provider that a test bends: what it claims, and how it signs."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: KEY)
    about: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    answer: dict[str, str] = field(default_factory=lambda: {"code": "good"})
    asked: dict[str, list[str]] = field(default_factory=dict)

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        } | self.about

    def app(self) -> web.Application:
        """The provider as it is asked by a server, and by a browser."""
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/keys", self._keys)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self.token)
        return app

    async def _discovery(self, _: web.Request) -> web.Response:
        return web.json_response(self.discovery())

    async def _keys(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": [KEY.as_dict(private=False)]})

    async def _authorize(self, request: web.Request) -> web.Response:
        """The person agrees, or not, without being asked."""
        self.approve(str(request.url))
        answer = {"state": request.query["state"], **self.answer}
        raise web.HTTPFound(f"{request.query['redirect_uri']}?{urlencode(answer)}")

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
