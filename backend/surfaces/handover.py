"""WebSockets that can be given away: after the handshake another process serves the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from backend.domain.errors import DomainError
from backend.surfaces.sockets import end_of, ignore_input

if TYPE_CHECKING:
    from litestar import WebSocket

    from backend.domain.terminals import GivenSocket, TerminalViewer, WebTerms

# Where the listener puts what can give the socket away, in the scope's `extensions`.
EXTENSION = "pilothouse.handover"


class Giver(Protocol):
    """A connection as its listener has it."""

    def keep(self) -> None:
        """Before `accept`: leave what the client sends unread, for who is given the connection. A close ends that."""

    def keep_no_more(self) -> None:
        """It stays here after all: read what was left unread."""

    def give(self) -> GivenSocket | None:
        """The connection, from now on served by who takes it; this side sends nothing more. None where that cannot be,
        since something is not sent yet, or much came already."""

    def take_back(self) -> None:
        """Who was given it is no more: it can be closed here."""


def giver_of(socket: WebSocket[Any, Any, Any]) -> Giver | None:
    """None where the listener cannot give connections away."""
    extensions = socket.scope.get("extensions") or {}
    found: Giver | None = extensions.get(EXTENSION)  # type: ignore[assignment]
    return found


async def give(
    socket: WebSocket[Any, Any, Any],
    giver: Giver,
    given: GivenSocket,
    viewer: TerminalViewer,
    terms: WebTerms,
    lost: Callable[[DomainError], Awaitable[None]],
    *parts: Coroutine[Any, Any, None],
) -> None:
    """Let the holder of the session serve the client, while here `parts` see to the rest: the first that ends closes
    the socket with what it says. `lost` closes it where the holder is no more. Close the viewer afterwards, which ends
    the client's socket too."""

    async def served() -> None:
        await viewer.hand_over(given, terms)
        await viewer.finished()

    tasks = [asyncio.ensure_future(part) for part in (served(), ignore_input(socket), *parts)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = next(task for task in tasks if task.done())
        error = ended.exception()
        if ended is tasks[0] and isinstance(error, DomainError):
            giver.take_back()
            await lost(error)
        elif (end := end_of(ended)) is not None:
            viewer.dismiss(end.code, end.reason)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
