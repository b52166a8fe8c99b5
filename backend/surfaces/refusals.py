"""Answers given before a surface's routes are reached: to requests that go no further."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from backend.domain.errors import DomainError
from backend.surfaces.failures import Answer
from backend.surfaces.responses import JSON


@runtime_checkable
class Refusing(Protocol):
    """An application that can refuse a request in its own words and with its own headers."""

    async def refuse(self, scope: Scope, receive: Receive, send: Send, error: DomainError) -> None: ...


async def send_answer(
    scope: Scope, receive: Receive, send: Send, answer: Answer, fields: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """The answer to a request, or to the opening of a socket, with further header fields."""
    if scope["type"] == ScopeType.WEBSOCKET:
        await receive()
        await answer_handshake(send, answer, fields)
    else:
        await _send(send, "http", answer, fields)


async def answer_handshake(send: Send, answer: Answer, fields: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Refuse the opening of a socket with this, to be called once its first event is received or passed over."""
    await _send(send, "websocket.http", answer, fields)


async def _send(send: Send, kind: str, answer: Answer, fields: Iterable[tuple[bytes, bytes]]) -> None:
    status, body, headers = answer
    lines = [(b"content-type", JSON.encode()), (b"content-length", str(len(body)).encode()), *fields]
    lines += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    start: Any = {"type": f"{kind}.response.start", "status": status, "headers": lines}
    rest: Any = {"type": f"{kind}.response.body", "body": body}
    await send(start)
    await send(rest)
