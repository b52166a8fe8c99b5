"""The log of an environment: what its installation said, and what its container writes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime

from backend.domain.accounts import Principal
from backend.domain.environments import (
    Environment,
    EnvironmentLogLine,
    EnvironmentLogs,
    InstallEvent,
    InstallEventKind,
)
from backend.domain.errors import DomainError, Invalid, NotFound
from backend.domain.logs import LogQuery, LogRecord
from backend.services.environments.changes import EnvironmentChanges
from backend.services.environments.places import Places
from backend.storage import install_events
from backend.storage.database import Database

log = logging.getLogger(__name__)

MAX_LINES = 1000
FOLLOWED_TAIL = 100
WAITING = 1000
INSTALLATION = "installation"
CONTAINER = "container"
_LEVELS = {InstallEventKind.ERROR: "ERROR"}

Told = InstallEvent | EnvironmentLogLine


class EnvironmentLogService:
    def __init__(
        self,
        database: Database,
        places: Places,
        changes: EnvironmentChanges,
        environment_of: Callable[[Principal, str], Awaitable[Environment]],
    ) -> None:
        """`environment_of` raises NotFound for what the caller may not see."""
        self._database = database
        self._places = places
        self._changes = changes
        self._environment_of = environment_of

    async def fetch(
        self, who: Principal, environment_id: str, *, lines: int = 100, since: datetime | None = None
    ) -> EnvironmentLogs:
        """The newest lines, of the installation too, oldest first. Raises Invalid, NotFound, EngineUnavailable."""
        if not 1 <= lines <= MAX_LINES:
            raise Invalid.at("lines", f"lines must be from 1 to {MAX_LINES}, not {lines}")
        environment = await self._environment_of(who, environment_id)
        async with self._database.session() as session:
            events = await install_events.of_environment(session, environment.id)
        found = [as_line(event) for event in events if since is None or event.at >= since]
        place = await self._places.of(environment.cluster_id)
        await place.ready()
        # One more than is asked for tells whether there are older ones.
        records = await place.logs.fetch(who, environment.id, LogQuery(tail=lines + 1, since=since))
        found += [_of_record(record) for record in records]
        found.sort(key=lambda line: line.at)
        newest = tuple(found[-lines:])
        return EnvironmentLogs(lines=newest, total_lines=len(newest), has_more=len(found) > lines)

    async def follow(self, who: Principal, environment_id: str) -> AsyncGenerator[Told, None]:
        """The last installation from its beginning, the last lines of the container, then both as they come; ends when
        the environment is gone. Raises NotFound at the first step."""
        environment = await self._environment_of(who, environment_id)
        queue: asyncio.Queue[Told | None] = asyncio.Queue(WAITING)
        async with self._changes.subscribe() as changed:
            told = 0
            for event in await self._events(environment.id, told):
                told = event.sequence
                yield event

            async def installation() -> None:
                after = told
                async for changed_id in changed:
                    if changed_id != environment.id:
                        continue
                    for event in await self._events(environment.id, after):
                        after = event.sequence
                        await queue.put(event)
                    if await self._is_gone(who, environment.id):
                        await queue.put(None)
                        return

            tasks = [
                asyncio.create_task(installation(), name="installation-log"),
                asyncio.create_task(self._container(who, environment, queue), name="environment-log"),
            ]
            try:
                while (item := await queue.get()) is not None:
                    yield item
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _events(self, environment_id: str, after: int) -> list[InstallEvent]:
        async with self._database.session() as session:
            return await install_events.of_environment(session, environment_id, after=after)

    async def _is_gone(self, who: Principal, environment_id: str) -> bool:
        try:
            await self._environment_of(who, environment_id)
        except NotFound:
            return True
        return False

    async def _container(self, who: Principal, environment: Environment, queue: asyncio.Queue[Told | None]) -> None:
        """Lines into the queue, for as long as there is an environment."""
        cursor: str | None = None
        pause = 0.5
        while True:
            try:
                place = await self._places.of(environment.cluster_id)
                lines = place.logs.follow(who, environment.id, tail=FOLLOWED_TAIL, cursor=cursor)
                async with aclosing(lines) as batches:
                    async for batch in batches:
                        pause = 0.5
                        for record in batch.records:
                            cursor = record.cursor
                            await queue.put(_of_record(record))
            except NotFound:
                await queue.put(None)
                return
            except DomainError as error:
                log.debug("the log of environment %s: %s", environment.id, error.message)
            await asyncio.sleep(pause)
            pause = min(2 * pause, 10.0)


def as_line(event: InstallEvent) -> EnvironmentLogLine:
    """An event of the installation as a line of the log."""
    return EnvironmentLogLine(event.at, _LEVELS.get(event.kind, "INFO"), event.text, INSTALLATION)


def _of_record(record: LogRecord) -> EnvironmentLogLine:
    return EnvironmentLogLine(record.timestamp, record.level.value.upper(), record.message, CONTAINER)
