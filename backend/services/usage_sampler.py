"""What running replicas use: all of them looked at in one batch, often while somebody watches, else seldom."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn, Protocol

from backend.domain.engine import ContainerPhase, ContainerState, Engine, UsageSample
from backend.domain.errors import DomainError
from backend.domain.metrics import LiveSample
from backend.services.request_counter import RequestCounter

log = logging.getLogger(__name__)

WATCHED_SECONDS = 2.0
IDLE_SECONDS = 12.0
# Counters further apart than this say nothing about the time between: that is a gap.
MAX_INTERVAL_SECONDS = 45.0
MIN_INTERVAL_SECONDS = 0.05


class RunningContainers(Protocol):
    """The part of the replica view that the sampler needs."""

    def all(self) -> list[ContainerState]: ...


@dataclass(frozen=True, slots=True)
class DeploymentUsage:
    """What the replicas of one deployment used together from `start` to `end`: cores and bytes, on average."""

    deployment_id: str
    start: datetime
    end: datetime
    cpu_cores: float
    memory_bytes: int
    memory_limit_bytes: int


@dataclass(slots=True)
class _Sum:
    start: datetime
    end: datetime
    cpu_cores: float = 0.0
    memory_bytes: int = 0
    memory_limit_bytes: int = 0


def cpu_rate(
    before: UsageSample | None, now: UsageSample, started_at: datetime | None
) -> tuple[float, datetime] | None:
    """Cores used, and since when: from the last look, or from the container's start where it (re)started since. None
    where neither is near enough to tell."""
    since = before.at if before else None
    used = now.cpu_seconds - (before.cpu_seconds if before else 0.0)
    if before is None or used < 0 or (started_at is not None and started_at > before.at):
        since, used = started_at, now.cpu_seconds
    if since is None:
        return None
    elapsed = (now.at - since).total_seconds()
    if not MIN_INTERVAL_SECONDS <= elapsed <= MAX_INTERVAL_SECONDS:
        return None
    return used / elapsed, since


class UsageSampler:
    """Keeps the latest sample of each deployment that runs or serves, and tells listeners of each look."""

    def __init__(
        self,
        engine: Engine,
        replicas: RunningContainers,
        counter: RequestCounter,
        *,
        kind: str = "deployment",
        watched_seconds: float = WATCHED_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`kind` is the kind of container that is looked at."""
        self._engine = engine
        self._replicas = replicas
        self._counter = counter
        self._kind = kind
        self._watched_seconds = watched_seconds
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._watchers = 0
        self._wake = asyncio.Event()
        self._before: dict[str, UsageSample] = {}
        self._latest: dict[str, LiveSample] = {}
        self._listeners: list[Callable[[list[DeploymentUsage]], None]] = []
        self._task: asyncio.Task[NoReturn] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="usage-sampler")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def on_sample(self, listener: Callable[[list[DeploymentUsage]], None]) -> None:
        """Call back after each look, with what was newly measured."""
        self._listeners.append(listener)

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Look often while this is open."""
        self._watchers += 1
        self._wake.set()
        try:
            yield
        finally:
            self._watchers -= 1

    def latest(self, deployment_id: str) -> LiveSample | None:
        """None for a deployment that neither runs nor serves, or was not measured yet."""
        return self._latest.get(deployment_id)

    async def sample(self) -> None:
        """Look once. Raises EngineUnavailable."""
        containers = [
            container
            for container in self._replicas.all()
            if container.phase is ContainerPhase.RUNNING and container.kind == self._kind
        ]
        samples = await self._engine.usage(containers) if containers else []
        usages = self._sums({container.id: container for container in containers}, samples)
        self._update_latest(usages, {container.object_id for container in containers})
        for listener in self._listeners:
            listener(usages)

    def _sums(self, containers: dict[str, ContainerState], samples: list[UsageSample]) -> list[DeploymentUsage]:
        sums: dict[str, _Sum] = {}
        measured: set[str] = set()
        for sample in samples:
            container = containers[sample.container_id]
            found = sums.get(container.object_id)
            if found is None:
                found = sums[container.object_id] = _Sum(sample.at, sample.at)
            found.memory_bytes += sample.memory_bytes
            found.memory_limit_bytes += sample.memory_limit_bytes or 0
            rate = cpu_rate(self._before.get(sample.container_id), sample, container.started_at)
            if rate is not None:
                found.cpu_cores += rate[0]
                found.start = min(found.start, rate[1])
                found.end = max(found.end, sample.at)
                measured.add(container.object_id)
        self._before = {sample.container_id: sample for sample in samples}
        return [
            DeploymentUsage(deployment_id, s.start, s.end, s.cpu_cores, s.memory_bytes, s.memory_limit_bytes)
            for deployment_id, s in sums.items()
            if deployment_id in measured
        ]

    def _update_latest(self, usages: list[DeploymentUsage], running: set[str]) -> None:
        now = self._clock()
        usage_of = {usage.deployment_id: usage for usage in usages}
        latest: dict[str, LiveSample] = {}
        for deployment_id in {*running, *self._counter.active()}:
            usage = usage_of.get(deployment_id)
            if usage is None and deployment_id in running:
                before = self._latest.get(deployment_id)
                if before is not None:
                    latest[deployment_id] = before
                continue
            traffic = self._counter.traffic(deployment_id)
            latest[deployment_id] = LiveSample(
                deployment_id=deployment_id,
                at=usage.end if usage else now,
                cpu_cores=usage.cpu_cores if usage else 0.0,
                memory_bytes=usage.memory_bytes if usage else 0,
                memory_limit_bytes=usage.memory_limit_bytes if usage else 0,
                requests_per_second=traffic.requests_per_second,
                errors_per_second=traffic.errors_per_second,
                latency_p50_ms=traffic.latency_p50_ms,
                latency_p95_ms=traffic.latency_p95_ms,
            )
        self._latest = latest

    async def _run(self) -> NoReturn:
        looks = 0
        while True:
            watched = self._watchers > 0
            self._wake.clear()
            try:
                await self.sample()
                looks += 1
            except DomainError as error:
                log.debug("sampling: %s", error.message)
            except Exception:
                log.exception("sampling failed")
            # Rates need two looks: the second comes soon, so that the first values do.
            often = watched or looks < 2
            await self._pause(self._watched_seconds if often else self._idle_seconds)

    async def _pause(self, seconds: float) -> None:
        """Wait; a first watcher cuts a long wait short."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._watched_seconds if self._watchers else seconds):
                while True:
                    await self._wake.wait()
                    self._wake.clear()
                    if seconds > self._watched_seconds and self._watchers:
                        return
