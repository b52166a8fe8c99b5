"""Rate limits around a whole surface: headers on every answer, and 429 in the surface's shape past a limit."""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from backend.domain.accounts import CredentialKind, Principal
from backend.domain.errors import DomainError, TooMany
from backend.domain.rate_limits import WINDOW_SECONDS, Allowance
from backend.surfaces.credentials import PRINCIPAL_KEY, REFUSAL_KEY, credential_of
from backend.surfaces.failures import Answer
from backend.surfaces.local_caller import LOCAL_OWNER_KEY
from backend.surfaces.rate_rules import SOCKET, RateRule, rule_of
from backend.surfaces.refusals import send_answer

if TYPE_CHECKING:
    from backend.services.accounts import AccountService
    from backend.services.rate_limits import RateLimiter
    from backend.surfaces.client_address import ClientAddresses

log = logging.getLogger(__name__)

# Routing takes several slashes for one: what counts must not be another operation than what is answered.
_SLASHES = re.compile("/+")
_STARTS = frozenset({"http.response.start", "websocket.http.response.start", "websocket.accept"})


class RateLimited:
    """A surface within its limits. Callers are counted by API key, by user where they come with an access token, and
    by address where they come with neither; the owner at the unix socket is not counted."""

    def __init__(
        self,
        app: ASGIApp,
        surface: str,
        rules: Sequence[RateRule],
        limiter: RateLimiter,
        accounts: AccountService,
        addresses: ClientAddresses,
        answer: Callable[[DomainError], Answer],
    ) -> None:
        self._app = app
        self._surface = surface
        self._rules = tuple(rules)
        self._limiter = limiter
        self._accounts = accounts
        self._addresses = addresses
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in (ScopeType.HTTP, ScopeType.WEBSOCKET) or scope.get(LOCAL_OWNER_KEY) is True:
            await self._app(scope, receive, send)
            return
        allowance = await self._counted(scope)
        if allowance is None:
            await self._app(scope, receive, send)
            return
        fields = _fields(allowance)

        async def with_fields(message: Message) -> None:
            if message["type"] in _STARTS:
                start: Any = message
                start["headers"] = [*start.get("headers", ()), *fields]
            await send(message)

        if allowance.allowed:
            await self._app(scope, receive, with_fields)
        else:
            await send_answer(scope, receive, send, self._too_many(allowance), fields)

    async def _counted(self, scope: Scope) -> Allowance | None:
        rule = self._rule(scope)
        limit = self._limiter.limit(self._surface, rule.kind)
        if not limit:
            return None
        if not rule.counted:
            return Allowance(True, limit, limit, WINDOW_SECONDS)
        principal = None if rule.by_address else await self._principal(scope)
        caller = _name(principal) if principal else f"address:{self._addresses.of(scope)}"
        return await self._limiter.take(self._surface, rule.kind, caller)

    def _rule(self, scope: Scope) -> RateRule:
        path = _SLASHES.sub("/", f"/{scope['path']}").rstrip("/") or "/"
        method = SOCKET if scope["type"] == ScopeType.WEBSOCKET else str(scope["method"])
        return rule_of(self._rules, method, path)

    async def _principal(self, scope: Scope) -> Principal | None:
        """Who asks, left in the scope for the guard. A credential that does not hold counts as none."""
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
        marks: Any = scope
        try:
            credential = credential_of(connection, allow_query=scope["type"] == ScopeType.WEBSOCKET)
            principal: Principal = await self._accounts.authenticate(credential)
        except DomainError as error:
            marks[REFUSAL_KEY] = error
            return None
        marks[PRINCIPAL_KEY] = principal
        return principal

    async def refuse(self, scope: Scope, receive: Receive, send: Send, error: DomainError) -> None:
        """Answer a request that goes no further, in the surface's shape and with its headers. It counts apart: what a
        foreign page makes a browser ask must not use up what its visitor may ask."""
        rule = self._rule(scope)
        caller = f"refused:{self._addresses.of(scope)}"
        allowance = await self._limiter.take(self._surface, rule.kind, caller)
        fields = [] if allowance is None else _fields(allowance)
        await send_answer(scope, receive, send, self._answer(error), fields)

    def _too_many(self, allowance: Allowance) -> Answer:
        return self._answer(
            TooMany(
                f"More than {allowance.limit} requests of this kind a minute: "
                f"ask again in {max(1, math.ceil(allowance.reset_after))} s",
                retry_after=allowance.reset_after,
            )
        )


def _name(principal: Principal) -> str:
    if principal.credential is CredentialKind.API_KEY:
        return f"key:{principal.api_key_id}"
    return f"user:{principal.user.id}"


def _fields(allowance: Allowance) -> list[tuple[bytes, bytes]]:
    reset = math.ceil(time.time() + allowance.reset_after)
    return [
        (b"x-ratelimit-limit", str(allowance.limit).encode()),
        (b"x-ratelimit-remaining", str(allowance.remaining).encode()),
        (b"x-ratelimit-reset", str(reset).encode()),
    ]
