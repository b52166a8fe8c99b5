"""A container's log, whole or followed, over one asyncio socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from urllib.parse import quote, urlencode

from backend.domain.engine import LogLine
from backend.domain.errors import NotFound
from backend.engines.connection import EngineConnection
from backend.engines.containers import require_ours
from backend.engines.errors import translated
from backend.engines.streams import LogDecoder
from backend.engines.timestamps import unix_text

_BATCH_SECONDS = 0.02


async def read_logs(
    connection: EngineConnection,
    installation: str,
    container_id: str,
    *,
    tail: int | None,
    since: datetime | None,
    until: datetime | None,
    follow: bool,
) -> AsyncGenerator[list[LogLine], None]:
    """Batches of lines. `since` and `until` are inclusive, to the microsecond. Raises NotFound, and
    EngineUnavailable where the stream ended because the engine did."""
    with translated(f"the log of container {container_id[:12]}"):
        container = await connection.call(lambda client: client.inspect_container(container_id))
    require_ours(installation, container)
    # engines before API 1.42 do not say in the response whether it is framed
    terminal = bool(container["Config"].get("Tty"))
    seen = _LastSeen(since)
    query = _query(tail=tail, since=since, until=until, follow=follow)
    async with aclosing(_read(connection, container_id, query, terminal=terminal)) as batches:
        async for batch in batches:
            seen.note(batch)
            yield batch
    if not follow:
        return
    # an engine that shuts down ends its streams properly: tell that from a container that ended
    await connection.ping()
    # Engines end a follower as soon as the container ends, at times before its last lines: read those once more.
    rest = _query(tail=None if seen.at else tail, since=seen.at, until=until, follow=False)
    try:
        async with aclosing(_read(connection, container_id, rest, terminal=terminal)) as batches:
            async for batch in batches:
                if new := seen.unseen(batch):
                    yield new
    except NotFound:
        return  # removed as it ended


def _query(*, tail: int | None, since: datetime | None, until: datetime | None, follow: bool) -> dict[str, str]:
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
    return query


async def _read(
    connection: EngineConnection, container_id: str, query: dict[str, str], *, terminal: bool
) -> AsyncGenerator[list[LogLine], None]:
    decoder = LogDecoder(terminal=terminal)
    path = f"/containers/{quote(container_id, safe='')}/logs?{urlencode(query)}"
    with translated(f"the log of container {container_id[:12]}"):
        async with connection.stream("GET", path) as response:
            flooded = False
            while data := await connection.read_watched(response):
                lines = decoder.feed(data)
                if lines:
                    yield lines
                # A busy log wakes us for every line: let it gather a little. A quiet one is passed on at once.
                if flooded and lines:
                    await asyncio.sleep(_BATCH_SECONDS)
                flooded = len(lines) > 1
    if lines := decoder.finish():
        yield lines


class _LastSeen:
    """Which lines a follower has handed on: all before a moment, and so many of that moment."""

    def __init__(self, since: datetime | None) -> None:
        self.at = since
        self._count = 0

    def note(self, batch: list[LogLine]) -> None:
        last = batch[-1].at
        if last != self.at:
            self.at, self._count = last, 0
        self._count += sum(1 for line in batch if line.at == last)

    def unseen(self, batch: list[LogLine]) -> list[LogLine]:
        """Those of a second reading, begun at `at`, that were not handed on yet."""
        new = []
        for line in batch:
            if self._count and line.at == self.at:
                self._count -= 1
            else:
                new.append(line)
        return new
