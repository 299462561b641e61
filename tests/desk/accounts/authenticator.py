"""A passkey in software: what a device does, by the standard's formats."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from base64 import urlsafe_b64encode
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, HAS_KEY = 0x01, 0x04, 0x40


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


class Authenticator:
    """One device with one key pair."""

    def __init__(self, origin: str, host: str) -> None:
        self.origin, self.host = origin, host
        self.id = os.urandom(16)
        self.count = 0
        self.flags = PRESENT | VERIFIED
        self._key = ec.generate_private_key(ec.SECP256R1())

    def register(self, options: str) -> str:
        """The browser's answer to a request for a new passkey."""
        client = self._client("webauthn.create", json.loads(options)["challenge"])
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + self._cose()
        data = self._data(self.flags | HAS_KEY) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._credential(client, {"attestationObject": b64(attestation)})

    def sign_in(self, options: str) -> str:
        """The browser's answer to a request for a passkey."""
        self.count += 1
        client = self._client("webauthn.get", json.loads(options)["challenge"])
        data = self._data(self.flags)
        signed = data + hashlib.sha256(client).digest()
        signature = self._key.sign(signed, ec.ECDSA(hashes.SHA256()))
        answer = {"authenticatorData": b64(data), "signature": b64(signature), "userHandle": None}
        return self._credential(client, answer)

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _data(self, flags: int) -> bytes:
        host = hashlib.sha256(self.host.encode()).digest()
        return host + struct.pack(">BI", flags, self.count)

    def _cose(self) -> bytes:
        numbers = self._key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def _credential(self, client: bytes, response: dict[str, Any]) -> str:
        return json.dumps(
            {
                "id": b64(self.id),
                "rawId": b64(self.id),
                "type": "public-key",
                "clientExtensionResults": {},
                "response": {"clientDataJSON": b64(client), **response},
            }
        )
