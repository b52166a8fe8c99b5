"""What a failure means and what to do about it, in the words of the toast."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.wire.pilothouse import SystemStatusResponse

_WHAT_TO_DO = {
    401: "Press ctrl+r to sign in again",
    403: "Ask an admin of this platform for the right to do this",
    404: "It may have been deleted meanwhile; the list shows what is there",
    429: "Wait a moment, then try again",
    500: "The backend's log has the details: see `pilothouse doctor`",
    503: "The platform tries again by itself; the bar at the top shows what is down",
}


def advice(status: int | None) -> str:
    """What to do after an error with that HTTP status; empty where the message says it itself."""
    return _WHAT_TO_DO.get(status, "") if status is not None else ""


def trouble(system: SystemStatusResponse | None) -> tuple[str, str] | None:
    """(what is wrong, what to do) for the banner; None while all is well. The engine comes first: without it nothing
    else can work."""
    if system is None:
        return None
    if system.engine.status != "ok":
        starting = system.engine.status == "starting"
        said = system.engine.message or "The container engine does not answer"
        todo = (
            "Waiting for it"
            if starting
            else "Start Docker (`sudo systemctl start docker`) or ask `pilothouse doctor`. Retrying"
        )
        return said, todo
    if system.storage.status != "ok":
        return system.storage.message or "The storage does not answer", "Run `pilothouse doctor`"
    if system.ingress.status != "ok":
        said = system.ingress.message or "The ingress does not answer: URLs do not open"
        return said, f"Is port {system.ingress_port} taken? Ask `pilothouse doctor`. Retrying"
    return None
