"""What an environment uses, beside what it may use. CPU and memory are looked at when asked for; what it has stored is
counted seldom, since that may mean to go through many files."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from backend.domain.engine import ContainerPhase, ContainerState, UsageSample
from backend.domain.environments import Environment, EnvironmentUsage
from backend.domain.errors import DomainError
from backend.services.environments.context import volume_name
from backend.services.environments.places import Place
from backend.services.environments.rules import Amounts
from backend.services.journal import utc_now
from backend.services.usage_sampler import cpu_rate

log = logging.getLogger(__name__)

# Two looks closer together than this say little about the CPU.
FIRST_INTERVAL_SECONDS = 0.25
# Storage is counted at most this often, and the longer it takes the more seldom.
STORAGE_SECONDS = 30.0
STORAGE_SHARE = 20.0
STORAGE_PATIENCE_SECONDS = 2.0


@dataclass(slots=True)
class _Storage:
    """What was last counted, of which container, and when to count again (loop time)."""

    container_id: str | None = None
    used_bytes: int | None = None
    enforced: bool = False
    due: float = 0.0
    counting: asyncio.Task[None] | None = None


class EnvironmentUsageReader:
    def __init__(self, installation: str) -> None:
        self._installation = installation
        self._samples: dict[str, UsageSample] = {}
        self._rates: dict[str, float] = {}
        self._storage: dict[str, _Storage] = {}

    async def close(self) -> None:
        tasks = [one.counting for one in self._storage.values() if one.counting is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def of(self, environment: Environment, place: Place) -> EnvironmentUsage:
        """What is known now; None for what is not. Never raises for an engine that is away."""
        amounts = Amounts.of(environment.resources)
        states = place.containers(environment.id)
        state = states[-1] if states else None
        cpu: float | None = None
        memory: int | None = None
        if state is not None and state.phase is ContainerPhase.RUNNING:
            try:
                cpu, memory = await self._live(place, state)
            except DomainError as error:
                log.debug("the usage of %s is not known: %s", state.name, error.message)
        storage = await self._stored(environment, place, state, amounts)
        return EnvironmentUsage(
            at=utc_now(),
            cpu_cores=cpu,
            cpu_limit_cores=amounts.cpu_millicores / 1000,
            memory_bytes=memory,
            memory_limit_bytes=amounts.memory_bytes,
            storage_bytes=storage.used_bytes,
            storage_limit_bytes=amounts.storage_bytes,
            storage_enforced=storage.enforced,
        )

    def forget(self, environment_id: str) -> None:
        """It is gone."""
        storage = self._storage.pop(environment_id, None)
        if storage is not None and storage.counting is not None:
            storage.counting.cancel()

    async def _live(self, place: Place, state: ContainerState) -> tuple[float | None, int | None]:
        """Cores since the last look, and bytes."""
        now = await self._sample(place, state)
        if now is None:
            return None, None
        before = self._samples.get(state.id)
        known = self._rates.get(state.id)
        if before is not None and known is not None and (now.at - before.at).total_seconds() < FIRST_INTERVAL_SECONDS:
            # Somebody looked a moment ago: what that look saw still holds.
            return known, now.memory_bytes
        rate = cpu_rate(before, now, None) if before is not None else None
        if rate is None:
            await asyncio.sleep(FIRST_INTERVAL_SECONDS)
            before, now = now, await self._sample(place, state)
            if now is None:
                return None, None
            rate = cpu_rate(before, now, None)
        self._samples[state.id] = now
        if rate is None:
            return None, now.memory_bytes
        self._rates[state.id] = max(0.0, rate[0])
        if len(self._samples) > 1000:
            self._samples.clear()
            self._rates.clear()
        return max(0.0, rate[0]), now.memory_bytes

    async def _sample(self, place: Place, state: ContainerState) -> UsageSample | None:
        samples = await place.engine.usage([state])
        return samples[0] if samples else None

    async def _stored(
        self, environment: Environment, place: Place, state: ContainerState | None, amounts: Amounts
    ) -> _Storage:
        storage = self._storage.setdefault(environment.id, _Storage())
        container_id = state.id if state is not None else None
        loop = asyncio.get_running_loop()
        if storage.counting is None and (loop.time() >= storage.due or storage.container_id != container_id):
            storage.counting = asyncio.create_task(
                self._count(storage, environment, place, state, amounts), name=f"storage-{environment.short_id}"
            )
        if storage.counting is not None and storage.used_bytes is None:
            # The first figure is waited for, but not for long.
            await asyncio.wait([storage.counting], timeout=STORAGE_PATIENCE_SECONDS)
        return storage

    async def _count(
        self, storage: _Storage, environment: Environment, place: Place, state: ContainerState | None, amounts: Amounts
    ) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        volume = volume_name(self._installation, environment)
        try:
            container_id = state.id if state is not None else None
            used = await place.engine.storage_used(container_id, volume)
            if used is not None:
                storage.used_bytes = used
            storage.container_id = container_id
            bounds = {one.size_limit_bytes for one in await place.engine.list_volumes() if one.name == volume}
            wanted = amounts.storage_bytes
            storage.enforced = state is not None and state.storage_limit_bytes == wanted and bounds == {wanted}
        except DomainError as error:
            log.debug("the storage of environment %s is not known: %s", environment.id, error.message)
        finally:
            storage.counting = None
            storage.due = loop.time() + max(STORAGE_SECONDS, STORAGE_SHARE * (loop.time() - begun))
