"""Passkeys: signing in with a device (Web Authentication Level 3), without a password.

A passkey belongs to a host name. A server that is reached under a number alone, such as 127.0.0.1,
has none; under ``localhost`` browsers allow them.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

import sqlalchemy as sa
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from desk.accounts.challenges import Challenges
from desk.accounts.identities import Identities, IdentityKind, IdentityRecord, find
from desk.changes import Changes
from desk.models import Identity, Person
from desk.text import line
from unmask.errors import PASSKEY, UnmaskError
from unmask.settings import Settings

_REGISTER, _SIGN_IN = "passkey.register", "passkey.sign_in"
_VERIFIED = UserVerificationRequirement.REQUIRED


@dataclass(frozen=True)
class Asked:
    """What a browser is asked: ``options`` as JSON for ``navigator.credentials``, and the token to
    send back with its answer."""

    token: str
    options: str


class Passkeys:
    """Registers passkeys, and recognises people by them."""

    def __init__(self, changes: Changes, identities: Identities, settings: Settings) -> None:
        self._changes = changes
        self._identities = identities
        self._challenges = Challenges(changes)
        address = settings.public_url or f"http://localhost:{settings.port}"
        parts = urlsplit(address)
        self._host = parts.hostname or ""
        self._origin = f"{parts.scheme}://{parts.netloc}"

    @property
    def origin(self) -> str:
        """The address at which passkeys work, without a path."""
        return self._origin

    @property
    def are_possible(self) -> bool:
        """Whether the server's address is one that passkeys can belong to."""
        try:
            ipaddress.ip_address(self._host)
        except ValueError:
            is_safe = self._origin.startswith("https://") or self._host == "localhost"
            return bool(self._host) and is_safe
        return False

    async def ask_to_register(self, person_id: int) -> Asked:
        """Ask the browser of a person who is signed in for a new passkey."""
        self._require_possible()
        async with self._changes.database.reading() as session:
            person = await session.get_one(Person, person_id)
            known = await session.scalars(
                sa.select(Identity.subject).where(
                    Identity.person_id == person_id, Identity.kind == IdentityKind.PASSKEY
                )
            )
            exclude = [PublicKeyCredentialDescriptor(base64url_to_bytes(one)) for one in known]
        options = generate_registration_options(
            rp_id=self._host,
            rp_name="Unmask",
            user_id=str(person_id).encode(),
            user_name=person.login,
            user_display_name=person.name,
            exclude_credentials=exclude,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
            ),
        )
        data = {"challenge": bytes_to_base64url(options.challenge)}
        token = await self._challenges.make(_REGISTER, data, person_id)
        return Asked(token, options_to_json(options))

    async def register(
        self, person_id: int, token: str, credential: str, name: str
    ) -> IdentityRecord:
        """Keep the passkey that the browser made (its answer as JSON).

        Raises ``link_invalid`` for a token that was used or is old, ``sign_in_failed`` for an
        answer that does not fit, ``already_exists`` and ``bad_request``.
        """
        name = line(name, "name", most=120) or "passkey"
        data = await self._challenges.take(_REGISTER, token, person_id)
        try:
            verified = verify_registration_response(
                credential=credential,
                expected_challenge=base64url_to_bytes(data["challenge"]),
                expected_rp_id=self._host,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise _refused() from error
        return await self._identities.add(
            person_id,
            IdentityKind.PASSKEY,
            self._host,
            bytes_to_base64url(verified.credential_id),
            name=name,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
        )

    async def ask_to_sign_in(self) -> Asked:
        """Ask a browser for any passkey of this host."""
        self._require_possible()
        options = generate_authentication_options(rp_id=self._host, user_verification=_VERIFIED)
        data = {"challenge": bytes_to_base64url(options.challenge)}
        return Asked(await self._challenges.make(_SIGN_IN, data), options_to_json(options))

    async def recognise(self, token: str, credential: str) -> int:
        """The person whose passkey answered; raises ``link_invalid`` and ``sign_in_failed``."""
        data = await self._challenges.take(_SIGN_IN, token)
        try:
            parsed = parse_authentication_credential_json(credential)
            subject = bytes_to_base64url(parsed.raw_id)
            async with self._changes.database.writing() as session:
                row = await find(session, IdentityKind.PASSKEY, self._host, subject)
                if row is None or row.public_key is None:
                    raise _refused()
                verified = verify_authentication_response(
                    credential=parsed,
                    expected_challenge=base64url_to_bytes(data["challenge"]),
                    expected_rp_id=self._host,
                    expected_origin=self._origin,
                    credential_public_key=row.public_key,
                    credential_current_sign_count=row.sign_count,
                    require_user_verification=True,
                )
                row.sign_count = verified.new_sign_count
                return row.person_id
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise _refused() from error

    def _require_possible(self) -> None:
        if not self.are_possible:
            message = "Passkeys need a server with a name and https (UNMASK_PUBLIC_URL)."
            raise UnmaskError("bad_request", message)


def _refused() -> UnmaskError:
    message = "This passkey is not known here, or did not answer right."
    return UnmaskError("sign_in_failed", message, reason=PASSKEY)
