"""Tokens: signed access tokens that live an hour, random refresh tokens that are stored as hashes."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from backend.domain.errors import Invalid, Unauthorized

ACCESS_LIFETIME = timedelta(hours=1)
REFRESH_LIFETIME = timedelta(days=30)
REFRESH_PREFIX = "ce_refresh_"
RESET_PREFIX = "ce_reset_"
VERIFY_PREFIX = "ce_verify_"
INVITATION_PREFIX = "ce_invite_"
MIN_SECRET_BYTES = 32
_REMEMBERED = 4096

_ALGORITHM = "HS256"
_CLAIMS = ["sub", "sid", "iat", "exp", "jti"]
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid access token says."""

    user_id: str
    session_id: str
    expires_at: datetime


class AccessTokens:
    """Issues and reads access tokens. Whether the session still lives is storage's to say."""

    def __init__(self, secret: bytes, clock: Callable[[], datetime]) -> None:
        """Raises Invalid at `jwt_secret` where it has fewer than 32 bytes."""
        if len(secret) < MIN_SECRET_BYTES:
            raise Invalid.at(
                "jwt_secret", f"the token secret needs at least {MIN_SECRET_BYTES} bytes, not {len(secret)}"
            )
        self._secret = secret
        self._clock = clock
        self._verified: dict[bytes, Claims] = {}

    def issue(self, user_id: str, session_id: str, session_ends: datetime) -> tuple[str, datetime]:
        """A token and when it expires: in an hour, or with its session."""
        now = self._clock()
        expires_at = min(now + ACCESS_LIFETIME, session_ends).replace(microsecond=0)
        claims = {
            "sub": user_id,
            "sid": session_id,
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
            "jti": secrets.token_hex(16),
        }
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM), expires_at.astimezone(UTC)

    def read(self, token: str) -> Claims:
        """Raises Unauthorized where the token is forged, malformed or expired."""
        # A signature once verified stays so: checking it again would cost every request a good part of its time.
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        found = self._verified.get(digest)
        if found is None:
            found = self._verify(token)
            if len(self._verified) >= _REMEMBERED:
                self._verified.clear()
            self._verified[digest] = found
        if found.expires_at <= self._clock():
            raise Unauthorized("the access token has expired: refresh it or log in again")
        return found

    def _verify(self, token: str) -> Claims:
        try:
            # Time is checked by the caller, against our own clock.
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[_ALGORITHM],
                options={"require": _CLAIMS, "verify_exp": False, "verify_iat": False},
            )
        except (jwt.InvalidTokenError, UnicodeEncodeError) as error:
            raise Unauthorized("the access token is not valid: log in again") from error
        user_id, session_id, expires = claims["sub"], claims["sid"], claims["exp"]
        if not isinstance(session_id, str) or not isinstance(expires, int):
            raise Unauthorized("the access token is not valid: log in again")
        try:
            return Claims(user_id, session_id, datetime.fromtimestamp(expires, UTC))
        except (OverflowError, OSError, ValueError) as error:
            raise Unauthorized("the access token is not valid: log in again") from error


def new_refresh_token() -> str:
    """256 random bits behind a prefix that secret scanners can know."""
    return REFRESH_PREFIX + secrets.token_hex(_SECRET_BYTES)


def new_reset_token() -> str:
    """256 random bits, likewise."""
    return RESET_PREFIX + secrets.token_hex(_SECRET_BYTES)


def new_verification_token() -> str:
    """256 random bits, likewise."""
    return VERIFY_PREFIX + secrets.token_hex(_SECRET_BYTES)


def new_invitation_code() -> str:
    """256 random bits, likewise."""
    return INVITATION_PREFIX + secrets.token_hex(_SECRET_BYTES)


def hash_of(secret: str) -> str:
    """SHA-256 as 64 hexadecimal characters: enough for a secret of 256 random bits, and found by an index."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
