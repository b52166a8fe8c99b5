"""WebSockets that can be given away: after the handshake another process serves the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from litestar import WebSocket

    from backend.domain.terminals import GivenSocket

# Where the listener puts what can give the socket away, in the scope's `extensions`.
EXTENSION = "pilothouse.handover"


class Giver(Protocol):
    """A connection as its listener has it."""

    def keep(self) -> None:
        """Before `accept`: leave what the client sends unread, for who is given the connection."""

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
