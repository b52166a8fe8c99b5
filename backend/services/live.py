"""The live feed of a tenant: a snapshot, then numbered deltas, computed once and shared by all who look.

A hub exists while somebody looks at its tenant. It keeps what the panels show, learns from journal and containers which
deployments changed, loads those again after a short gathering time, and sends what differs. Nothing is loaded while
nothing changes, except for a seldom full look that catches what nobody announced.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import NoReturn, Protocol

from backend.domain.accounts import Principal
from backend.domain.deployments import Deployment, DeploymentState
from backend.domain.engine import ContainerState
from backend.domain.errors import DomainError
from backend.domain.metrics import LiveSample
from backend.services.event_bus import EventBus, Lagged
from backend.services.live_differences import same_deployment, same_sample, same_state, same_status, silent_sample
from backend.services.system import SystemStatus
from backend.services.usage_sampler import DeploymentUsage, UsageSampler

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.12
STATUS_SECONDS = 5.0
FULL_LOOK_SECONDS = 30.0
FULL_LOOK_COUNT = 100  # where more than this changed, all are loaded
RETRY_SECONDS = 1.0
MAX_WAITING = 256  # deltas: half a minute of constant change

Item = tuple[Deployment, DeploymentState]
# The deployments of a tenant, all of them (None) or those of the given ids that still exist.
Load = Callable[[str, frozenset[str] | None], Awaitable[list[Item]]]


@dataclass(frozen=True, slots=True, weakref_slot=True)
class LiveSnapshot:
    """All that a tenant's panels show. The deltas that follow count on from `seq`."""

    seq: int
    items: tuple[Item, ...]
    metrics: tuple[LiveSample, ...]
    system: SystemStatus


@dataclass(frozen=True, slots=True, weakref_slot=True)
class LiveDelta:
    """What changed since `seq - 1`: whole objects, ids of deployments that are gone, samples with other values. All
    viewers of the tenant get the same object, so that it can be converted once."""

    seq: int
    items: tuple[Item, ...] = ()
    removed: tuple[str, ...] = ()
    metrics: tuple[LiveSample, ...] = ()
    system: SystemStatus | None = None


class ContainerChanges(Protocol):
    """The part of the replica view that the feed needs."""

    def of(self, deployment_id: str) -> list[ContainerState]: ...

    def on_change(self, callback: Callable[[str], None]) -> None: ...


class LiveFeed:
    """One viewer. Iterate: a snapshot first, then deltas. Raises Lagged where the viewer reads too slowly."""

    def __init__(self, hub: _Hub) -> None:
        self._hub = hub
        self._waiting: deque[LiveDelta] = deque()
        self._wake = asyncio.Event()
        self._snapshot_due = True
        self._lagged = False
        self._wake.set()

    def resync(self) -> None:
        """Send a new snapshot next, in place of the deltas that wait."""
        self._snapshot_due = True
        self._wake.set()

    def offer(self, delta: LiveDelta) -> None:
        if self._snapshot_due or self._lagged:
            return  # the snapshot will contain it
        if len(self._waiting) >= MAX_WAITING:
            self._lagged = True
            self._waiting.clear()
        else:
            self._waiting.append(delta)
        self._wake.set()

    async def __aiter__(self) -> AsyncIterator[LiveSnapshot | LiveDelta]:
        while True:
            await self._wake.wait()
            if self._lagged:
                raise Lagged("the live feed is read too slowly: connect again")
            if self._snapshot_due:
                self._snapshot_due = False
                self._waiting.clear()
                yield self._hub.snapshot()
            elif self._waiting:
                yield self._waiting.popleft()
            else:
                self._wake.clear()


class LiveService:
    def __init__(
        self,
        bus: EventBus,
        replicas: ContainerChanges,
        sampler: UsageSampler,
        load: Load,
        status: Callable[[], Awaitable[SystemStatus]],
        *,
        gather_seconds: float = GATHER_SECONDS,
        status_seconds: float = STATUS_SECONDS,
        full_look_seconds: float = FULL_LOOK_SECONDS,
    ) -> None:
        """`load(tenant_id, ids)` gives deployments with their states; `status` is that of the system."""
        self.bus = bus
        self.sampler = sampler
        self.load = load
        self.status = status
        self.gather_seconds = gather_seconds
        self.status_seconds = status_seconds
        self.full_look_seconds = full_look_seconds
        self._replicas = replicas
        self._hubs: dict[str, _Hub] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        replicas.on_change(self._note_container_change)
        sampler.on_sample(self._note_samples)

    @property
    def watched_tenants(self) -> int:
        """How many tenants somebody looks at."""
        return len(self._hubs)

    @asynccontextmanager
    async def open(self, who: Principal) -> AsyncIterator[LiveFeed]:
        """The feed of the caller's tenant. Raises Unavailable where storage does not answer."""
        tenant_id = who.tenant_id
        async with self._opening.setdefault(tenant_id, asyncio.Lock()):
            hub = self._hubs.get(tenant_id)
            if hub is None:
                hub = _Hub(self, tenant_id)
                await hub.start()
                self._hubs[tenant_id] = hub
            feed = LiveFeed(hub)
            hub.feeds.add(feed)
        try:
            with self.sampler.watch():
                yield feed
        finally:
            hub.feeds.discard(feed)
            if not hub.feeds and self._hubs.get(tenant_id) is hub:
                del self._hubs[tenant_id]
                self._opening.pop(tenant_id, None)
                await hub.close()

    async def close(self) -> None:
        """End all hubs; their viewers get nothing more."""
        hubs, self._hubs = list(self._hubs.values()), {}
        for hub in hubs:
            await hub.close()

    def _note_container_change(self, deployment_id: str) -> None:
        if not self._hubs:
            return
        if not deployment_id:  # the engine came or went
            for hub in self._hubs.values():
                hub.note_all()
            return
        containers = self._replicas.of(deployment_id)
        owner = self._hubs.get(containers[0].tenant_id) if containers else None
        for hub in [owner] if owner else self._hubs.values():
            if owner or hub.knows(deployment_id):
                hub.note(deployment_id)

    def _note_samples(self, usages: list[DeploymentUsage]) -> None:
        for hub in self._hubs.values():
            hub.send_metrics()


class _Hub:
    """What the viewers of one tenant see, and the tasks that keep it true."""

    def __init__(self, service: LiveService, tenant_id: str) -> None:
        self.feeds: set[LiveFeed] = set()
        self._service = service
        self._tenant_id = tenant_id
        self._seq = 0
        self._items: dict[str, Item] = {}
        self._metrics: dict[str, LiveSample] = {}
        self._system: SystemStatus | None = None
        self._changed: set[str] = set()
        self._all_changed = False
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[NoReturn]] = []

    async def start(self) -> None:
        """Listen first, then load, so that nothing falls between."""
        listening = asyncio.Event()
        self._tasks.append(asyncio.create_task(self._listen(listening), name="live-journal"))
        try:
            await listening.wait()
            self._system = await self._service.status()
            self._items = {item[0].id: item for item in await self._service.load(self._tenant_id, None)}
        except BaseException:
            await self.close()
            raise
        self._metrics = self._samples()
        self._tasks.append(asyncio.create_task(self._keep(), name="live-deployments"))
        self._tasks.append(asyncio.create_task(self._watch_system(), name="live-system"))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task

    def snapshot(self) -> LiveSnapshot:
        assert self._system is not None
        return LiveSnapshot(self._seq, tuple(self._items.values()), tuple(self._metrics.values()), self._system)

    def knows(self, deployment_id: str) -> bool:
        return deployment_id in self._items

    def note(self, deployment_id: str) -> None:
        """A deployment changed."""
        self._changed.add(deployment_id)
        self._wake.set()

    def note_all(self) -> None:
        """Anything may have changed."""
        self._all_changed = True
        self._wake.set()

    def send_metrics(self) -> None:
        """Send the samples whose values differ from those sent."""
        samples = self._samples()
        changed = [
            sample
            for deployment_id, sample in samples.items()
            if not same_sample(self._metrics.get(deployment_id), sample)
        ]
        # What stopped is told once, as nothing used.
        changed += [
            silent_sample(before)
            for deployment_id, before in self._metrics.items()
            if deployment_id not in samples and deployment_id in self._items
        ]
        # Those that did not change keep the values sent, so that a slow drift is sent in the end.
        sent = {sample.deployment_id: sample for sample in changed if sample.deployment_id in samples}
        self._metrics = {key: sent.get(key) or self._metrics[key] for key in samples}
        if changed:
            self._send(metrics=tuple(changed))

    def _samples(self) -> dict[str, LiveSample]:
        latest = ((key, self._service.sampler.latest(key)) for key in self._items)
        return {key: sample for key, sample in latest if sample is not None}

    def _send(
        self,
        items: Iterable[Item] = (),
        removed: Iterable[str] = (),
        metrics: tuple[LiveSample, ...] = (),
        system: SystemStatus | None = None,
    ) -> None:
        self._seq += 1
        delta = LiveDelta(self._seq, tuple(items), tuple(removed), metrics, system)
        for feed in tuple(self.feeds):
            feed.offer(delta)

    async def _listen(self, listening: asyncio.Event) -> NoReturn:
        while True:
            try:
                async with self._service.bus.subscribe(tenant_id=self._tenant_id) as entries:
                    listening.set()
                    async for entry in entries:
                        self.note(entry.object_id)
            except Lagged:
                self.note_all()

    async def _keep(self) -> NoReturn:
        while True:
            try:
                # Not wait_for: before Python 3.12 it loses a cancellation that meets the event.
                async with asyncio.timeout(self._service.full_look_seconds):
                    await self._wake.wait()
            except TimeoutError:
                self._all_changed = True
            else:
                await asyncio.sleep(self._service.gather_seconds)
            self._wake.clear()
            changed, self._changed = self._changed, set()
            everything, self._all_changed = self._all_changed or len(changed) > FULL_LOOK_COUNT, False
            try:
                await self._refresh(None if everything else frozenset(changed))
            except Exception as error:
                if isinstance(error, DomainError):
                    log.warning("live feed: %s", error.message)
                else:
                    log.exception("the live feed could not load what changed")
                self._changed |= changed
                self._all_changed |= everything
                await asyncio.sleep(RETRY_SECONDS)
                self._wake.set()

    async def _refresh(self, ids: frozenset[str] | None) -> None:
        loaded = {item[0].id: item for item in await self._service.load(self._tenant_id, ids)}
        looked_at = set(self._items) if ids is None else ids
        removed = [key for key in looked_at if key in self._items and key not in loaded]
        changed = []
        for key, item in loaded.items():
            if ids is not None and key not in ids:
                continue
            before = self._items.get(key)
            if before is None or not (same_deployment(before[0], item[0]) and same_state(before[1], item[1])):
                changed.append(item)
                self._items[key] = item
        for key in removed:
            del self._items[key]
            self._metrics.pop(key, None)
        if changed or removed:
            self._send(changed, removed)

    async def _watch_system(self) -> NoReturn:
        while True:
            await asyncio.sleep(self._service.status_seconds)
            status = await self._service.status()
            if not same_status(self._system, status):
                self._system = status
                self._send(system=status)
