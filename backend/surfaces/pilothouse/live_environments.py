"""What a live socket tells of environments: the list as it changes, and the log of one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import datetime

from backend.domain.accounts import Principal
from backend.domain.environments import (
    Environment,
    EnvironmentLogLine,
    EnvironmentUsage,
    InstallEvent,
    InstallEventKind,
)
from backend.domain.errors import Invalid
from backend.surfaces.services import Services
from backend.wire import pilothouse as wire
from backend.wire.pilothouse_environments import EnvironmentModel, EnvironmentsFrame, EnvironmentUsageModel
from backend.wire.timestamps import format_precise_timestamp

# Lines of a frame, and how long more are waited for; seconds.
BATCH_LINES = 500
GATHER_SECONDS = 0.05

_LEVELS = {InstallEventKind.ERROR: "error"}


async def environment_frames(services: Services, who: Principal, number: int) -> AsyncIterator[EnvironmentsFrame]:
    """For subscription `number`, until closed."""
    changes = services.environment_feed.follow(who)
    async with aclosing(changes):
        async for change in changes:
            yield EnvironmentsFrame(
                id=number,
                complete=change.complete,
                environments=[to_wire_environment(environment) for environment in change.environments],
                removed=list(change.removed),
                usage=[to_wire_usage(short_id, usage) for short_id, usage in change.usage],
            )


async def environment_log_frames(
    services: Services, who: Principal, number: int, environment_id: str, cursor: str | None
) -> AsyncIterator[wire.LogsFrame]:
    """The installation from its beginning, then the container's lines, in batches; with a record's cursor what came
    after it. Raises Invalid at cursor."""
    after = _moment(cursor)
    lines = services.environments.follow(who, environment_id)
    async with aclosing(_batches(lines)) as batches:
        async for batch in batches:
            records = [to_wire_line(line) for line in batch if after is None or line.at > after]
            if records:
                yield wire.LogsFrame(id=number, records=records)


def _moment(cursor: str | None) -> datetime | None:
    if cursor is None:
        return None
    try:
        return datetime.fromisoformat(cursor)
    except ValueError as error:
        raise Invalid.at("cursor", "this is no cursor of an environment's log") from error


async def _batches(
    lines: AsyncGenerator[InstallEvent | EnvironmentLogLine, None],
) -> AsyncGenerator[list[InstallEvent | EnvironmentLogLine], None]:
    """Lines that come close together, together."""
    queue: asyncio.Queue[InstallEvent | EnvironmentLogLine | None] = asyncio.Queue(2 * BATCH_LINES)

    async def read() -> None:
        try:
            async with aclosing(lines):
                async for line in lines:
                    await queue.put(line)
        finally:
            await queue.put(None)

    reading = asyncio.create_task(read(), name="environment-log")
    try:
        while (first := await queue.get()) is not None:
            batch = [first]
            await asyncio.sleep(GATHER_SECONDS)
            ended = False
            while len(batch) < BATCH_LINES and not queue.empty() and not ended:
                line = queue.get_nowait()
                if line is None:
                    ended = True
                else:
                    batch.append(line)
            yield batch
            if ended:
                break
        await reading
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def to_wire_environment(environment: Environment) -> EnvironmentModel:
    return EnvironmentModel(
        id=environment.short_id,
        name=environment.name,
        description=environment.description,
        template_id=environment.template_id,
        template_name=environment.template_name,
        cluster_id=environment.cluster_id,
        image=environment.image,
        port=environment.port,
        status=environment.status.value,
        reason=environment.reason,
        message=environment.message,
        error_message=environment.error_message,
        installation_completed=environment.installation_completed,
        cpu_limit=environment.resources.cpu,
        memory_limit=environment.resources.memory,
        storage_limit=environment.resources.storage,
        idle_stop_minutes=environment.idle_stop_minutes,
        generation=environment.generation,
        created_at=environment.created_at,
        updated_at=environment.updated_at,
        started_at=environment.started_at,
        last_activity=environment.last_activity,
    )


def to_wire_usage(short_id: str, usage: EnvironmentUsage) -> EnvironmentUsageModel:
    return EnvironmentUsageModel(
        environment_id=short_id,
        at=usage.at,
        cpu_cores=usage.cpu_cores,
        cpu_limit_cores=usage.cpu_limit_cores,
        memory_bytes=usage.memory_bytes,
        memory_limit_bytes=usage.memory_limit_bytes,
        storage_bytes=usage.storage_bytes,
        storage_limit_bytes=usage.storage_limit_bytes,
        storage_enforced=usage.storage_enforced,
    )


def to_wire_line(line: InstallEvent | EnvironmentLogLine) -> wire.LogRecordModel:
    """`replica` says whether the installation or the container wrote it."""
    if isinstance(line, InstallEvent):
        level, text, source = _LEVELS.get(line.kind, "info"), line.text, "installation"
    else:
        level, text, source = line.level.lower(), line.message, line.source
    at = format_precise_timestamp(line.at)
    return wire.LogRecordModel(timestamp=at, level=level, message=text, replica=source, stream=source, cursor=at)
