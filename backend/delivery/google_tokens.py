"""Google's ID tokens, verified as Google's own page on them says: signature, issuer, audience, expiry, address."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Collection
from typing import Any

import httpx
import jwt

from backend.domain.accounts import GoogleIdentity
from backend.domain.errors import Unauthorized, Unavailable

KEYS_URL = "https://www.googleapis.com/oauth2/v3/certs"
ISSUERS = ("accounts.google.com", "https://accounts.google.com")
MAX_TOKEN_LENGTH = 16 * 1024

_ALGORITHMS = ["RS256"]
_REQUIRED = ["iss", "aud", "sub", "iat", "exp"]
_FETCH_SECONDS = 5.0
_MAX_KEYS_BYTES = 256 * 1024
_KEPT_SECONDS = 3600.0
_RETRY_SECONDS = 30.0  # a token that names an unknown key makes us ask again this often at most
_SILENT_SECONDS = 5.0  # after a failure nobody waits for another one for so long
_LEEWAY_SECONDS = 30.0
_LONGEST_NAME = 200
_LONGEST_URL = 2048


class GoogleIdTokens:
    """See `backend.domain.accounts.GoogleTokens`. Google's keys are fetched when first needed and kept for an hour; one
    that is not among them is looked for again, since Google changes them."""

    def __init__(
        self,
        client_ids: Collection[str],
        *,
        keys_url: str = KEYS_URL,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`client_ids` are those of the apps whose tokens are taken."""
        self._client_ids = list(client_ids)
        self._keys_url = keys_url
        self._clock = clock
        self._monotonic = monotonic
        self._keys: dict[str, jwt.PyJWK] = {}
        self._asked_at: float | None = None
        self._failed_at: float | None = None
        self._asking = asyncio.Lock()

    async def read(self, token: str) -> GoogleIdentity:
        """Raises Unauthorized where the token does not hold, Unavailable where Google's keys cannot be had."""
        if len(token) > MAX_TOKEN_LENGTH or not token.isascii():
            raise Unauthorized("this is no ID token of Google")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise Unauthorized("this is no ID token of Google: send the one that its sign-in gave you") from error
        key = await self._key(str(header.get("kid", "")))
        try:
            # Time is checked below, against our own clock.
            claims = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=self._client_ids,
                issuer=ISSUERS,
                options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except jwt.InvalidAudienceError as error:
            raise Unauthorized("the Google token was given to another app than this server's") from error
        except jwt.InvalidTokenError as error:
            raise Unauthorized(f"the Google token does not hold: {error}") from error
        return self._identity(claims)

    def _identity(self, claims: dict[str, Any]) -> GoogleIdentity:
        now, expires, issued = self._clock(), claims["exp"], claims["iat"]
        if not isinstance(expires, int | float) or expires + _LEEWAY_SECONDS <= now:
            raise Unauthorized("the Google token has expired: sign in with Google again")
        if not isinstance(issued, int | float) or issued - _LEEWAY_SECONDS > now:
            raise Unauthorized("the Google token is of the future: set this server's clock")
        subject, email = claims["sub"], claims.get("email")
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise Unauthorized("the Google token names nobody")
        if not isinstance(email, str) or claims.get("email_verified") not in (True, "true"):
            raise Unauthorized("Google has not verified the e-mail address of this account, or it was not asked for")
        return GoogleIdentity(subject, email, _name(claims.get("name")), _address(claims.get("picture")))

    async def _key(self, key_id: str) -> jwt.PyJWK:
        async with self._asking:
            age = None if self._asked_at is None else self._monotonic() - self._asked_at
            if age is None or age > _KEPT_SECONDS or (key_id not in self._keys and age > _RETRY_SECONDS):
                if self._failed_at is not None and self._monotonic() - self._failed_at < _SILENT_SECONDS:
                    raise Unavailable("Google's keys could not be had a moment ago: try again later")
                self._failed_at = self._monotonic()
                self._keys = await self._fetch()
                self._asked_at, self._failed_at = self._monotonic(), None
        found = self._keys.get(key_id)
        if found is None:
            raise Unauthorized("the Google token is signed by a key that is none of Google's")
        return found

    async def _fetch(self) -> dict[str, jwt.PyJWK]:
        """Keys by their ids. Raises Unavailable."""
        try:
            async with (
                asyncio.timeout(_FETCH_SECONDS),
                httpx.AsyncClient(timeout=_FETCH_SECONDS) as client,
                client.stream("GET", self._keys_url) as answer,
            ):
                answer.raise_for_status()
                body = b""
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > _MAX_KEYS_BYTES:
                        raise Unavailable("Google's keys cannot be read: too much was sent")
            found = jwt.PyJWKSet.from_dict(json.loads(body)).keys
        except (httpx.HTTPError, TimeoutError) as error:
            raise Unavailable(f"Google's keys cannot be had ({type(error).__name__}): try again later") from error
        except (ValueError, TypeError, AttributeError, KeyError, jwt.PyJWTError) as error:
            raise Unavailable("Google's keys cannot be read: what was sent is no set of keys") from error
        return {str(key.key_id): key for key in found if key.key_id}


def _name(claim: object) -> str | None:
    text = claim.strip() if isinstance(claim, str) else ""
    return text[:_LONGEST_NAME] if text.isprintable() and text else None


def _address(claim: object) -> str | None:
    fine = isinstance(claim, str) and claim.startswith("https://") and claim.isascii() and claim.isprintable()
    return str(claim) if fine and len(str(claim)) <= _LONGEST_URL else None
