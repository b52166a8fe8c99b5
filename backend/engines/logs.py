"""A container's log, whole or followed, over one asyncio socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from urllib.parse import quote, urlencode

from backend.domain.engine import LogLine
from backend.engines.connection import EngineConnection
from backend.engines.errors import translated
from backend.engines.streams import LogDecoder
from backend.engines.timestamps import unix_text

# `multiplexed-stream` or `raw-stream`: engines before API 1.42 always say the latter, so the container's own
# configuration decides.
_BATCH_SECONDS = 0.02


async def read_logs(
    connection: EngineConnection,
    container_id: str,
    *,
    tail: int | None,
    since: datetime | None,
    until: datetime | None,
    follow: bool,
) -> AsyncIterator[list[LogLine]]:
    """Batches of lines. `since` and `until` are inclusive, to the microsecond. Raises NotFound, and
    EngineUnavailable where the stream ended because the engine did."""
    query = {
        "stdout": "1",
        "stderr": "1",
        "timestamps": "1",
        "follow": "1" if follow else "0",
        "tail": "all" if tail is None else str(tail),
    }
    if since is not None:
        query["since"] = unix_text(since)
    if until is not None:
        # the engine counts nanoseconds: the whole microsecond belongs to `until`
        query["until"] = unix_text(until, 999)
    with translated(f"the log of container {container_id[:12]}"):
        container = await connection.call(lambda client: client.inspect_container(container_id))
        decoder = LogDecoder(terminal=bool(container["Config"].get("Tty")))
        path = f"/containers/{quote(container_id, safe='')}/logs?{urlencode(query)}"
        async with connection.stream("GET", path) as response:
            flooded = False
            while data := await connection.read_watched(response):
                if lines := decoder.feed(data):
                    yield lines
                # A busy log wakes us for every line: let it gather a little. A quiet one is passed on at once.
                if flooded or len(lines) > 1:
                    await asyncio.sleep(_BATCH_SECONDS)
                flooded = len(lines) > 1
        if lines := decoder.finish():
            yield lines
    if follow:
        # an engine that shuts down ends its streams properly: tell that from a container that ended
        await connection.ping()
