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
    503: "Try again once it is back; the bar at the top tells",
}


def advice(status: int | None) -> str:
    """What to do after an error with that HTTP status; empty where the message says it itself."""
    return _WHAT_TO_DO.get(status, "") if status is not None else ""


def sentence(message: str, status: int | None) -> str:
    """The message, and what to do after it."""
    todo = advice(status)
    if not todo:
        return message
    return f"{message.rstrip()}{'' if message.rstrip().endswith(('.', '!', '?')) else '.'} {todo}"


def trouble(system: SystemStatusResponse | None) -> tuple[str, str] | None:
    """(what is wrong, what to do) for the banner; None while all is well. The engine comes first: without it nothing
    else can work. An ingress that is `starting` is no fault: the backend is at it, and the top bar shows it. The engine
    is not started by the backend, so its silence is told at once."""
    if system is None:
        return None
    for part, otherwise in (
        (system.engine, "The container engine does not answer: start Docker, or ask `pilothouse doctor`"),
        (system.storage, "The storage does not answer: ask `pilothouse doctor`"),
        (system.ingress, f"Apps cannot be reached: is port {system.ingress_port} taken?"),
    ):
        if part.status == "starting" and part is system.ingress:
            continue
        if part.status != "ok":
            # The backend's own words say what to do already; it retries as long as it runs.
            return part.message or otherwise, "Trying again by itself"
    return None
