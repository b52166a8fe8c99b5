"""Domain values as JSON frames carry them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from backend.domain.engine import EngineAccess
from backend.domain.errors import Conflict, DomainError, EngineUnavailable, NotFound, TooMany, Unavailable
from backend.domain.terminals import (
    EndReason,
    HolderStatus,
    SessionLimit,
    SessionStart,
    StartFailed,
    TerminalEnd,
    TerminalSessionInfo,
)
from backend.terminals.protocol import ProtocolFault

_RETRY_SECONDS = 5.0


def start_to_wire(start: SessionStart) -> dict[str, Any]:
    return {
        "access": asdict(start.access),
        "container_id": start.container_id,
        "argv": list(start.argv),
        "label": start.label,
        "env": dict(start.env),
        "linger_seconds": start.linger_seconds,
        "where": start.where,
        "limits": [asdict(limit) for limit in start.limits],
    }


def start_from_wire(found: Mapping[str, Any]) -> SessionStart:
    """Raises ProtocolFault."""
    try:
        return SessionStart(
            EngineAccess(**found["access"]),
            found["container_id"],
            tuple(found["argv"]),
            found["label"],
            dict(found["env"]),
            found.get("linger_seconds"),
            found.get("where", ""),
            tuple(SessionLimit(**limit) for limit in found.get("limits", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolFault("a start that cannot be read") from error


def end_to_wire(end: TerminalEnd) -> dict[str, Any]:
    return {"type": "ended", "reason": end.reason.value, "code": end.code, "message": end.message}


def end_from_wire(found: Mapping[str, Any]) -> TerminalEnd:
    """A reason of a later version reads as an end on request."""
    try:
        reason = EndReason(found["reason"])
    except ValueError:
        reason = EndReason.ENDED
    return TerminalEnd(reason, found.get("code"), str(found.get("message") or ""))


def info_from_wire(found: Mapping[str, Any]) -> TerminalSessionInfo:
    def moment(name: str) -> datetime | None:
        return datetime.fromisoformat(found[name]) if found.get(name) else None

    started = moment("started_at")
    assert started is not None
    return TerminalSessionInfo(
        scope=found["scope"],
        name=found["name"],
        command=found["command"],
        container_id=found["container_id"],
        title=found["title"],
        columns=found["columns"],
        rows=found["rows"],
        viewers=found["viewers"],
        started_at=started,
        last_output_at=moment("last_output_at"),
        last_input_at=moment("last_input_at"),
    )


def status_from_wire(found: Mapping[str, Any]) -> HolderStatus:
    return HolderStatus(found["pid"], found["version"], found["sessions"], found["viewers"])


def error_to_wire(error: DomainError) -> dict[str, Any]:
    """What went wrong, for the client to raise again."""
    message: dict[str, Any] = {"type": "error", "kind": "unavailable", "message": error.message}
    if isinstance(error, StartFailed):
        message |= {"kind": "start_failed", "output": error.output[:4096].decode("latin-1")}
    elif isinstance(error, NotFound):
        message["kind"] = "not_found"
    elif isinstance(error, Conflict):
        message["kind"] = "conflict"
    elif isinstance(error, TooMany):
        message["kind"] = "too_many"
    elif isinstance(error, EngineUnavailable):
        message["kind"] = "engine"
    return message


def error_from_wire(found: Mapping[str, Any]) -> DomainError:
    text = str(found.get("message") or "the terminal holder refuses")
    kind = found.get("kind")
    if kind == "start_failed":
        return StartFailed(str(found.get("output") or "").encode("latin-1", "replace"))
    if kind == "not_found":
        return NotFound(text)
    if kind == "conflict":
        return Conflict(text)
    if kind == "too_many":
        return TooMany(text, retry_after=_RETRY_SECONDS)
    return EngineUnavailable(text) if kind == "engine" else Unavailable(text)
