"""Where environments run: the local engine, and the engines of clusters as they come to be used."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from backend.domain.accounts import Principal
from backend.domain.engine import ContainerState, Engine
from backend.domain.environments import Environment
from backend.domain.errors import EngineUnavailable
from backend.services.environments.networks import RemoteNetworks
from backend.services.logs import LogService
from backend.services.reconciler.images import ImagePuller
from backend.services.reconciler.slots import NetworkPool
from backend.services.replicas import ReplicaView
from backend.storage.database import Database

KIND_ENVIRONMENT = "environment"
# Runs once, beside an environment that is being made.
KIND_HELPER = "environment-helper"
LISTED_SECONDS = 5.0

EngineOf = Callable[[str | None], Awaitable[Engine]]
EnvironmentOf = Callable[[Principal, str], Awaitable[Environment]]


class TenantNetworks(Protocol):
    """Gives containers a network and an address on one engine."""

    async def network(self, tenant_id: str) -> str:
        """The name of the tenant's network, made where it is not there."""

    async def address(self, tenant_id: str, object_id: str, container_name: str) -> str | None:
        """A fixed address for a container, None where the engine gives it one."""

    async def release(self, container_name: str) -> None: ...

    async def release_tenant(self, tenant_id: str) -> None:
        """Remove the network of a tenant that runs nothing there any more. Raises Conflict while something is on it."""

    def forget_networks(self) -> None:
        """Look at every network anew."""


@dataclass(frozen=True, slots=True)
class Place:
    """One engine, with what is known of it. `cluster_id` is None for the local one."""

    cluster_id: str | None
    engine: Engine
    view: ReplicaView
    images: ImagePuller
    networks: TenantNetworks
    logs: LogService

    def containers(self, environment_id: str) -> list[ContainerState]:
        """Its containers as last seen, the newest generation last."""
        return [state for state in self.view.of(environment_id) if state.kind == KIND_ENVIRONMENT]

    async def ready(self) -> None:
        """Wait a moment for the first listing of an engine that only now came to be used. Raises EngineUnavailable."""
        try:
            async with asyncio.timeout(LISTED_SECONDS):
                await self.view.listed.wait()
        except TimeoutError:
            raise EngineUnavailable(f"the engine does not answer: {self.view.engine_message}") from None
        if not self.view.engine_up:
            raise EngineUnavailable(f"the engine does not answer: {self.view.engine_message}")


class Places:
    def __init__(
        self, database: Database, local: Place, engine_of: EngineOf, pool: NetworkPool, environment_of: EnvironmentOf
    ) -> None:
        """`engine_of` gives the engine of a cluster; raises NotFound, Invalid (nothing runs there) or Unavailable."""
        self._database = database
        self._local = local
        self._engine_of = engine_of
        self._pool = pool
        self._environment_of = environment_of
        self._remote: dict[str, Place] = {}
        self._opening = asyncio.Lock()
        self._on_change: Callable[[str], None] = _nobody
        self._closed = False

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call back with the id of each object whose containers changed; `""` for an engine that came or went."""
        self._on_change = callback
        self._local.view.on_change(callback)

    async def of(self, cluster_id: str | None) -> Place:
        """The engine of a cluster, followed from now on. Raises what `engine_of` raises."""
        if cluster_id is None:
            return self._local
        engine = await self._engine_of(cluster_id)
        async with self._opening:
            known = self._remote.get(cluster_id)
            # A cluster that was changed has another engine.
            if known is not None and known.engine is engine:
                return known
            if known is not None:
                await self._drop(cluster_id)
            view = ReplicaView(engine)
            place = Place(
                cluster_id=cluster_id,
                engine=engine,
                view=view,
                images=ImagePuller(engine),
                networks=RemoteNetworks(self._database, engine, self._pool),
                logs=LogService(engine, view, self._environment_of),
            )
            view.on_change(self._on_change)
            self._remote[cluster_id] = place
            await view.start()
            return place

    def open(self) -> list[Place]:
        """Those that are followed now."""
        return [self._local, *self._remote.values()]

    async def keep(self, used: Collection[str]) -> None:
        """Follow no other clusters than these any more."""
        async with self._opening:
            for cluster_id in [known for known in self._remote if known not in used]:
                await self._drop(cluster_id)

    async def close(self) -> None:
        """Follow nothing any more. The local view and the engines belong to others."""
        async with self._opening:
            for cluster_id in list(self._remote):
                await self._drop(cluster_id)
        await self._local.logs.close()

    async def _drop(self, cluster_id: str) -> None:
        place = self._remote.pop(cluster_id)
        await place.logs.close()
        await place.view.close()


def _nobody(object_id: str) -> None:
    """Nobody listens yet."""
