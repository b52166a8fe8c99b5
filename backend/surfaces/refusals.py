"""Answers given before a surface's routes are reached: to requests that go no further."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from backend.domain.errors import DomainError
from backend.surfaces.failures import Answer


@runtime_checkable
class Refusing(Protocol):
    """An application that can refuse a request in its own words and with its own headers."""

    async def refuse(self, scope: Scope, receive: Receive, send: Send, error: DomainError) -> None: ...


async def send_answer(
    scope: Scope, receive: Receive, send: Send, answer: Answer, fields: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """The answer to a request, or to the opening of a socket, with further header fields."""
    status, body, headers = answer
    lines = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *fields]
    lines += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    prefix = "http"
    if scope["type"] == ScopeType.WEBSOCKET:
        prefix = "websocket.http"
        await receive()
    start: Any = {"type": f"{prefix}.response.start", "status": status, "headers": lines}
    rest: Any = {"type": f"{prefix}.response.body", "body": body}
    await send(start)
    await send(rest)
