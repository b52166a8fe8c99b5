"""The engine's event stream, narrowed to this installation's containers."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from backend.domain.engine import (
    LABEL_GENERATION,
    LABEL_ID,
    LABEL_INSTALLATION,
    LABEL_KIND,
    EngineEvent,
    EventAction,
)
from backend.domain.errors import EngineUnavailable
from backend.engines.connection import EngineConnection
from backend.engines.errors import translated


def parse_event(document: Mapping[str, Any]) -> EngineEvent | None:
    """A container event of ours, or None for one that the core does not act on."""
    actor = document.get("Actor") or {}
    labels = actor.get("Attributes") or {}
    try:
        action = EventAction(str(document.get("Action", "")))
        generation = int(labels.get(LABEL_GENERATION, "0"))
    except ValueError:
        return None
    if document.get("Type") != "container" or LABEL_ID not in labels:
        return None
    nanoseconds = int(document.get("timeNano") or int(document.get("time", 0)) * 10**9)
    code = str(labels.get("exitCode", ""))
    return EngineEvent(
        action=action,
        container_id=str(actor.get("ID", "")),
        object_id=labels[LABEL_ID],
        kind=labels.get(LABEL_KIND, ""),
        generation=generation,
        exit_code=int(code) if code.isdigit() else None,
        at=datetime.fromtimestamp(nanoseconds // 1000 / 1e6, UTC),
    )


def follow_events(connection: EngineConnection, installation: str) -> AsyncIterator[EngineEvent]:
    """Events from the moment of this call on, not of the first step: a listing made in between misses nothing."""
    since: str | None = None
    if connection.address.is_local:  # the engine's clock is ours
        now = time.time_ns()
        since = f"{now // 10**9}.{now % 10**9:09d}"
    return _follow(connection, installation, since)


async def _follow(connection: EngineConnection, installation: str, since: str | None) -> AsyncIterator[EngineEvent]:
    filters = {
        "type": ["container"],
        "label": [f"{LABEL_INSTALLATION}={installation}"],
        "event": [action.value for action in EventAction],
    }
    query = {"filters": json.dumps(filters)}
    if since is not None:
        query["since"] = since
    rest = b""
    with translated("the engine's events"):
        async with connection.stream("GET", f"/events?{urlencode(query)}") as response:
            while data := await connection.read_watched(response):
                *documents, rest = (rest + data).split(b"\n")
                for document in documents:
                    if document.strip() and (event := parse_event(json.loads(document))) is not None:
                        yield event
    raise EngineUnavailable("the engine ended its event stream: it stopped or was restarted")
