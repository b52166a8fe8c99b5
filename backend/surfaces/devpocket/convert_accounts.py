"""Accounts: from the domain to this document. Pure."""

from __future__ import annotations

import math
from datetime import datetime

from backend.domain.accounts import Account, TokenPair
from backend.wire import devpocket as wire


def to_wire_user(account: Account) -> wire.UserResponse:
    user, details = account.user, account.details
    return wire.UserResponse(
        id=user.id,
        username=user.username,
        email=user.email,
        full_name=details.full_name,
        is_active=user.is_active,
        is_verified=details.is_verified,
        avatar_url=details.avatar_url,
        subscription_plan=details.subscription_plan,
        created_at=user.created_at,
        last_login=user.last_login,
    )


def to_wire_tokens(tokens: TokenPair, now: datetime) -> wire.TokenResponse:
    assert tokens.refresh_token is not None, "a login makes a new session"
    user = tokens.user
    return wire.TokenResponse(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_in=_seconds(tokens, now),
        user=wire.UserSummary(id=user.id, username=user.username, email=user.email),
    )


def to_wire_access_token(tokens: TokenPair, now: datetime) -> wire.AccessTokenResponse:
    return wire.AccessTokenResponse(access_token=tokens.access_token, expires_in=_seconds(tokens, now))


def _seconds(tokens: TokenPair, now: datetime) -> int:
    return max(0, math.ceil((tokens.expires_at - now).total_seconds()))
