"""Signing in with an account at one provider, by OpenID Connect Core 1.0: the code flow with PKCE.

The operator names the provider, which may well be inside the network, so the gates of a fetch do
not apply; but every address that the provider names must be https, or be on this machine. An
account lets a person in once it was tied to that person: by somebody who was signed in, or who held
an invitation. An e-mail address never ties anything: providers hand used ones out again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from desk.accounts.challenges import Challenges
from desk.accounts.identities import Identities, IdentityKind
from desk.changes import Changes
from unmask.errors import PROVIDER, UnmaskError
from unmask.settings import Settings

_PURPOSE = "oidc"
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
_MAX_ANSWER = 262_144
_TIMEOUT = aiohttp.ClientTimeout(total=10)
#: Seconds that the provider's clock may be off.
_LEEWAY = 60


class OidcPurpose(StrEnum):
    """What a person wants at the provider."""

    SIGN_IN = "sign_in"
    TIE = "tie"  # a person who is signed in adds the account as a way in
    JOIN = "join"  # somebody with an invitation becomes a new person


@dataclass(frozen=True)
class OidcAccount:
    """Who the provider says it is. ``person_id`` is set if the account is tied to a person;
    ``purpose`` and ``note`` are what :meth:`Oidc.begin` was called with."""

    subject: str
    name: str
    email: str
    person_id: int | None
    purpose: OidcPurpose
    note: str


class Oidc:
    """One provider."""

    def __init__(self, changes: Changes, identities: Identities, settings: Settings) -> None:
        self._identities = identities
        self._challenges = Challenges(changes)
        self._clock = changes.clock
        self._issuer = settings.oidc_issuer.rstrip("/")
        self._client_id = settings.oidc_client_id
        self._name = settings.oidc_name
        secret = settings.oidc_client_secret
        self._client_secret = secret.get_secret_value() if secret is not None else ""
        base = settings.public_url.rstrip("/") or f"http://localhost:{settings.port}"
        self.redirect_uri = f"{base}/login/oidc"

    @property
    def is_set(self) -> bool:
        """Whether the settings name a provider."""
        return bool(self._issuer and self._client_id)

    @property
    def name(self) -> str:
        """What people call the provider: as the settings say, else its host."""
        return self._name or urlsplit(self._issuer).hostname or self._issuer

    @property
    def issuer(self) -> str:
        """The provider's own name for itself."""
        return self._issuer

    async def begin(self, purpose: OidcPurpose, note: str = "") -> tuple[str, str]:
        """The state, to be kept in a cookie of the browser that begins, and the provider's address
        to send it to. ``note`` comes back with the account, such as an invitation's token.

        Raises ``not_found`` without a provider, ``not_ready`` if it cannot be reached.
        """
        if not self.is_set:
            raise UnmaskError("not_found", "No provider is set up.")
        provider = await self._discover()
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        data = {"verifier": verifier, "nonce": nonce, "purpose": purpose, "note": note}
        state = await self._challenges.make(_PURPOSE, data)
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid profile email",
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        address = _checked(provider["authorization_endpoint"])
        joint = "&" if urlsplit(address).query else "?"
        return state, f"{address}{joint}{urlencode(query)}"

    async def finish(self, state: str, code: str) -> OidcAccount:
        """The account of a browser that came back with a code; the caller has compared ``state``
        with the browser's cookie.

        Raises ``link_invalid`` for a state that was used or is old, ``sign_in_failed`` if the
        provider or its token is not right, ``not_ready`` if it cannot be reached.
        """
        data = await self._challenges.take(_PURPOSE, state)
        provider = await self._discover()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "client_id": self._client_id,
            "code_verifier": data["verifier"],
        }
        if self._client_secret:
            form["client_secret"] = self._client_secret
        answer = await self._ask(provider["token_endpoint"], form)
        keys = await self._ask(provider["jwks_uri"])
        claims = self._claims(str(answer.get("id_token", "")), keys, data["nonce"])
        subject = str(claims["sub"])
        return OidcAccount(
            subject=subject,
            name=str(claims.get("name", ""))[:120],
            email=str(claims.get("email", ""))[:120],
            person_id=await self._identities.person_of(IdentityKind.OIDC, self._issuer, subject),
            purpose=OidcPurpose(data["purpose"]),
            note=data["note"],
        )

    async def tie(self, person_id: int, account: OidcAccount) -> None:
        """Let an account be a person's way in from now on; raises ``already_exists``."""
        await self._identities.add(
            person_id,
            IdentityKind.OIDC,
            self._issuer,
            account.subject,
            name=account.email or account.name,
        )

    def _claims(self, token: str, keys: dict[str, Any], nonce: str) -> dict[str, Any]:
        """What an id token says, once its signature and claims are right."""
        try:
            key_set = KeySet.import_key_set({"keys": keys["keys"]})
            decoded = jwt.decode(token, key_set, algorithms=_ALGORITHMS)
            registry = jwt.JWTClaimsRegistry(
                now=int(self._clock().timestamp()),
                leeway=_LEEWAY,
                iss={"essential": True, "value": self._issuer},
                aud={"essential": True, "value": self._client_id},
                exp={"essential": True},
                sub={"essential": True},
                nonce={"essential": True, "value": nonce},
            )
            registry.validate(decoded.claims)
            claims: dict[str, Any] = decoded.claims
            # A token for several receivers says for whom it was made (Core 1.0, 3.1.3.7).
            if claims.get("azp", self._client_id) != self._client_id:
                raise _refused()
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise _refused() from error
        return claims

    async def _discover(self) -> dict[str, Any]:
        """What the provider says of itself; it must be who it was asked as."""
        provider = await self._ask(f"{self._issuer}/.well-known/openid-configuration")
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if str(provider.get("issuer", "")).rstrip("/") != self._issuer or not all(
            isinstance(provider.get(name), str) for name in needed
        ):
            raise _unreachable()
        return provider

    async def _ask(self, url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
        """The JSON of one of the provider's addresses."""
        url = _checked(url)
        try:
            async with aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=False) as session:
                method = "GET" if form is None else "POST"
                asking = session.request(method, url, data=form, allow_redirects=False)
                async with asking as response:
                    body = await response.content.read(_MAX_ANSWER)
                    if form is not None and response.status in (400, 401):
                        raise _refused()  # the code is not one of this provider's
                    if response.status != 200:
                        raise _unreachable()
                    answer = json.loads(body)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _unreachable() from error
        if not isinstance(answer, dict):
            raise _unreachable()
        return answer


def _checked(url: str) -> str:
    parts = urlsplit(url)
    is_own = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_own):
        raise _unreachable()
    return url


def _unreachable() -> UnmaskError:
    message = "The provider cannot be reached just now, or is not set up right."
    return UnmaskError("not_ready", message, reason=PROVIDER)


def _refused() -> UnmaskError:
    message = "The provider did not confirm who you are."
    return UnmaskError("sign_in_failed", message, reason=PROVIDER)
