"""Secrets at rest: JSON in, authenticated ciphertext out."""

from __future__ import annotations

import json
import secrets
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from backend.domain.errors import Invalid, Unavailable

MIN_KEY_BYTES = 32
_FORMAT = b"\x01"  # AES-256-GCM: this byte, 12 bytes of nonce, ciphertext with its tag
_NONCE_BYTES = 12
_PURPOSE = b"pilothouse secret box"


class SecretUnreadable(Unavailable):
    """What was sealed does not open with the keys at hand."""


class SecretBox:
    """Seals with `key`; opens what this key or one of the `older` ones sealed, so that keys can be changed."""

    def __init__(self, key: bytes, *older: bytes) -> None:
        """Raises Invalid at `secret_key` where a key has fewer than 32 bytes."""
        self._ciphers = [AESGCM(_derived(each)) for each in (key, *older)]

    def seal(self, value: Any) -> bytes:
        """`value` is what JSON can hold. The same value gives different bytes each time."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        clear = json.dumps(value, separators=(",", ":")).encode()
        return _FORMAT + nonce + self._ciphers[0].encrypt(nonce, clear, _FORMAT)

    def open(self, data: bytes) -> Any:
        """The value that was sealed. Raises SecretUnreadable where the key is another or the bytes were changed."""
        nonce, sealed = data[1 : 1 + _NONCE_BYTES], data[1 + _NONCE_BYTES :]
        if data[:1] == _FORMAT and len(nonce) == _NONCE_BYTES:
            for cipher in self._ciphers:
                try:
                    return json.loads(cipher.decrypt(nonce, sealed, _FORMAT))
                except InvalidTag:
                    continue
        raise SecretUnreadable(
            "stored secrets cannot be opened: put back the secret key that this database was written with"
        )


def _derived(key: bytes) -> bytes:
    if len(key) < MIN_KEY_BYTES:
        raise Invalid.at("secret_key", f"the secret key needs at least {MIN_KEY_BYTES} bytes, not {len(key)}")
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key)
