"""The credential of a request: `Authorization: Bearer`, and on sockets also `?token=`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler

from backend.domain.errors import DomainError, Unauthorized

if TYPE_CHECKING:
    from backend.domain.accounts import Principal
    from backend.services.accounts import AccountService

MAX_CREDENTIAL_LENGTH = 4096
INVITATION_HEADER = "X-Invitation-Code"
PRINCIPAL_KEY = "pilothouse.principal"
REFUSAL_KEY = "pilothouse.refusal"


def credential_of(connection: ASGIConnection[Any, Any, Any, Any], *, allow_query: bool) -> str:
    """The access token or API key that came along. Raises Unauthorized saying what to send."""
    # The first of them, from where the server put it: taking all headers apart costs more than all that follows.
    header = next((value for name, value in connection.scope["headers"] if name == b"authorization"), None)
    if header is None:
        token = connection.query_params.get("token") if allow_query else None
        if not token:
            place = "the Authorization header as 'Bearer <token>'" + (" or ?token=<token>" if allow_query else "")
            raise Unauthorized(f"No credential was sent: put an access token or API key in {place}")
    else:
        scheme, _, token = header.decode("latin-1").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized("The Authorization header must read 'Bearer <access token or API key>'")
    if len(token) > MAX_CREDENTIAL_LENGTH or not token.isascii() or not token.isprintable():
        raise Unauthorized("The credential is malformed: send the access token or API key as it was given out")
    return token


def invitation_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The code that invites to register; empty where none was sent."""
    return connection.headers.get(INVITATION_HEADER, "").strip()


async def authenticate(connection: ASGIConnection[Any, Any, Any, Any], accounts: AccountService) -> Principal:
    """Who sends this request; what was found when it was counted is not asked for again. Raises Unauthorized."""
    marks: Any = connection.scope
    found: Principal | None = marks.get(PRINCIPAL_KEY)
    if found is not None:
        return found
    refusal: DomainError | None = marks.get(REFUSAL_KEY)
    if refusal is not None:
        raise refusal
    principal: Principal = await accounts.authenticate(credential_of(connection, allow_query=False))
    return principal


def guard_by(accounts: AccountService) -> Callable[..., Awaitable[None]]:
    """A guard that lets only known callers in, except where a handler has `public=True`, and to sockets, which refuse
    by themselves so that the handshake gets a proper answer."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        if connection.scope["type"] == ScopeType.HTTP and not handler.opt.get("public"):
            connection.scope[PRINCIPAL_KEY] = await authenticate(connection, accounts)  # type: ignore[literal-required]

    return guard


def principal_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Principal:
    """Whom the guard of this request found."""
    principal: Principal = connection.scope[PRINCIPAL_KEY]  # type: ignore[literal-required]
    return principal
