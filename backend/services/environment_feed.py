"""Environments as they change, for whoever looks at a list of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from typing import NoReturn, Protocol

from backend.domain.accounts import Principal
from backend.domain.environments import Environment, EnvironmentStatus, EnvironmentUsage
from backend.domain.errors import DomainError, NotFound
from backend.services.event_bus import EventBus, Lagged
from backend.services.replicas import ChangeFeed

log = logging.getLogger(__name__)

KIND_PREFIX = "environment."
USAGE_SECONDS = 2.0
# What changes without an event, such as the last activity, is seen when everything is looked at again.
FULL_LOOK_SECONDS = 30.0
# Changes come in bursts; a list that is a moment late is none too late.
GATHER_SECONDS = 0.05


class EnvironmentSource(Protocol):
    """The part of the environment service that a feed needs."""

    async def all(self, who: Principal) -> list[Environment]: ...

    async def usage(self, who: Principal, environment_id: str) -> EnvironmentUsage: ...

    def subscribe(self) -> AbstractAsyncContextManager[ChangeFeed]:
        """Ids of environments, of all tenants, of which something to show changed, such as the progress of a pull."""


@dataclass(frozen=True, slots=True)
class EnvironmentChange:
    """With `complete` all environments, else those that changed. `removed` are short ids; `usage` is by short id, of
    those whose figures changed."""

    complete: bool
    environments: tuple[Environment, ...] = ()
    removed: tuple[str, ...] = ()
    usage: tuple[tuple[str, EnvironmentUsage], ...] = ()


class EnvironmentFeed:
    def __init__(self, bus: EventBus, environments: EnvironmentSource, *, usage_seconds: float = USAGE_SECONDS) -> None:
        self._bus = bus
        self._environments = environments
        self._usage_seconds = usage_seconds

    async def follow(self, who: Principal) -> AsyncGenerator[EnvironmentChange, None]:
        """All environments of the caller's tenant, then each change, until closed. Raises what the service raises at
        the first look; later failures are waited for."""
        changed, listening = asyncio.Event(), asyncio.Event()
        known: dict[str, Environment] = {}
        tasks = [
            asyncio.create_task(self._listen(who.tenant_id, changed, listening), name="environment-feed"),
            asyncio.create_task(self._watch(lambda: known, changed), name="environment-progress"),
        ]
        try:
            await listening.wait()
            known = {environment.id: environment for environment in await self._environments.all(who)}
            yield EnvironmentChange(True, tuple(known.values()))
            told: dict[str, EnvironmentUsage] = {}
            looked_at = usage_at = _now()
            usage_at -= self._usage_seconds
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, usage_at + self._usage_seconds - _now())):
                        await changed.wait()
                try:
                    if changed.is_set() or _now() - looked_at >= FULL_LOOK_SECONDS:
                        await asyncio.sleep(GATHER_SECONDS)
                        changed.clear()
                        looked_at = _now()
                        known, change = _difference(known, await self._environments.all(who))
                        if change.environments or change.removed:
                            yield change
                    if _now() - usage_at >= self._usage_seconds:
                        usage_at = _now()
                        fresh = await self._usage(who, known.values(), told)
                        if fresh:
                            yield EnvironmentChange(False, usage=tuple(fresh))
                except DomainError as error:
                    log.debug("environment feed: %s", error.message)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, tenant_id: str, changed: asyncio.Event, listening: asyncio.Event) -> NoReturn:
        while True:
            try:
                async with self._bus.subscribe(tenant_id=tenant_id) as entries:
                    listening.set()
                    async for entry in entries:
                        if entry.kind.startswith(KIND_PREFIX):
                            changed.set()
            except Lagged:
                changed.set()

    async def _watch(self, known: Callable[[], Mapping[str, Environment]], changed: asyncio.Event) -> None:
        """Progress, which the journal does not tell of."""
        async with self._environments.subscribe() as ids:
            async for environment_id in ids:
                if environment_id in known():
                    changed.set()

    async def _usage(
        self, who: Principal, environments: Iterable[Environment], told: dict[str, EnvironmentUsage]
    ) -> list[tuple[str, EnvironmentUsage]]:
        """Figures of running environments that differ from those told, which are noted in `told`."""
        fresh = []
        shown = tuple(environments)
        for gone in told.keys() - {environment.id for environment in shown}:
            del told[gone]
        for environment in shown:
            if environment.status is not EnvironmentStatus.RUNNING and environment.id not in told:
                continue
            try:
                usage = await self._environments.usage(who, environment.id)
            except NotFound:
                continue
            if not _same(told.get(environment.id), usage):
                fresh.append((environment.short_id, usage))
            if environment.status is EnvironmentStatus.RUNNING:
                told[environment.id] = usage
            else:
                del told[environment.id]
        return fresh


def _now() -> float:
    return asyncio.get_running_loop().time()


def _difference(
    before: dict[str, Environment], loaded: Sequence[Environment]
) -> tuple[dict[str, Environment], EnvironmentChange]:
    after = {environment.id: environment for environment in loaded}
    changed = tuple(environment for key, environment in after.items() if before.get(key) != environment)
    removed = tuple(environment.short_id for key, environment in before.items() if key not in after)
    return after, EnvironmentChange(False, changed, removed)


def _same(before: EnvironmentUsage | None, after: EnvironmentUsage) -> bool:
    """Whether nobody could see the difference: a hundredth of a core, a tenth of a MiB."""
    if before is None:
        return False
    return _rounded(before) == _rounded(after)


def _rounded(usage: EnvironmentUsage) -> tuple[object, ...]:
    cpu = None if usage.cpu_cores is None else round(usage.cpu_cores, 2)
    memory = None if usage.memory_bytes is None else round(usage.memory_bytes / 2**20, 1)
    storage = None if usage.storage_bytes is None else round(usage.storage_bytes / 2**20, 1)
    return cpu, memory, storage, usage.cpu_limit_cores, usage.memory_limit_bytes, usage.storage_limit_bytes
