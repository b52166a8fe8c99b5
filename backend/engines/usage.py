"""Usage samples: from cgroup files where they can be read, else from the engine's stats, a second each but all at
once and without threads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from backend.domain.engine import ContainerPhase, ContainerState, UsageSample
from backend.domain.errors import EngineUnavailable
from backend.engines.cgroups import CgroupReader
from backend.engines.connection import EngineConnection
from backend.engines.errors import EngineFault

_STATS_AT_ONCE = 64


class UsageReader:
    """Samples running containers."""

    def __init__(self, connection: EngineConnection) -> None:
        self._connection = connection
        self._cgroups = CgroupReader()
        self._stats = asyncio.Semaphore(_STATS_AT_ONCE)

    async def sample(self, containers: Sequence[ContainerState]) -> list[UsageSample]:
        """In the order of those given; those that do not run or ended meanwhile are left out."""
        running = [one for one in containers if one.phase is ContainerPhase.RUNNING]
        samples: list[UsageSample] = []
        remote = [one.id for one in running]
        if self._connection.address.is_local:
            pids = [(one.id, one.pid) for one in running if one.pid is not None]
            samples, unread = await self._connection.offload(lambda: self._cgroups.read(pids))
            without_pid = [one.id for one in running if one.pid is None]
            remote = unread + without_pid
        if remote:
            found = await asyncio.gather(*(self._from_stats(one) for one in remote))
            samples += [sample for sample in found if sample is not None]
            order = {one.id: place for place, one in enumerate(running)}
            samples.sort(key=lambda sample: order[sample.container_id])
        return samples

    async def _from_stats(self, container_id: str) -> UsageSample | None:
        path = f"/containers/{quote(container_id, safe='')}/stats?stream=false&one-shot=true"
        data = b""
        try:
            async with self._stats, self._connection.stream("GET", path) as response:
                while part := await self._connection.read_watched(response):
                    data += part
        except EngineFault:
            return None  # it ended meanwhile
        except EngineUnavailable:
            await self._connection.ping()  # the engine lives: only this container is gone
            return None
        return parse_stats(container_id, json.loads(data))


def parse_stats(container_id: str, document: Mapping[str, Any]) -> UsageSample | None:
    """The engine's stats document as a sample; None for a container that does not run."""
    memory = document.get("memory_stats") or {}
    if not memory.get("usage"):
        return None
    details = memory.get("stats") or {}
    cache = int(details.get("total_inactive_file", details.get("inactive_file", 0)))
    # without a limit of its own the engine reports the whole machine's memory, which is a limit too
    return UsageSample(
        container_id=container_id,
        at=datetime.now(UTC),
        cpu_seconds=int(document["cpu_stats"]["cpu_usage"]["total_usage"]) / 1e9,
        memory_bytes=max(int(memory["usage"]) - cache, 0),
        memory_limit_bytes=int(memory["limit"]) if memory.get("limit") else None,
    )
