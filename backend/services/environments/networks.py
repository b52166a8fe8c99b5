"""A tenant's network for its environments, on the local engine and on others."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterator

from backend.domain.engine import Engine, NetworkSpec
from backend.domain.errors import Conflict, Unavailable
from backend.services.reconciler.slots import NetworkPool, SlotAllocator
from backend.storage import networks
from backend.storage.database import Database


class LocalNetworks:
    """The network that the tenant's deployments are on too; storage knows its subnet and each address."""

    def __init__(self, slots: SlotAllocator) -> None:
        self._slots = slots

    async def network(self, tenant_id: str) -> str:
        return await self._slots.network(tenant_id)

    async def address(self, tenant_id: str, object_id: str, container_name: str) -> str | None:
        return (await self._slots.addresses(tenant_id, object_id, [container_name]))[container_name]

    async def release(self, container_name: str) -> None:
        await self._slots.release([container_name])

    async def release_tenant(self, tenant_id: str) -> None:
        await self._slots.release_tenant(tenant_id)

    def forget_networks(self) -> None:
        self._slots.forget_networks()


class RemoteNetworks:
    """A network of the tenant's own on another engine, which itself remembers the subnet and gives out addresses."""

    def __init__(self, database: Database, engine: Engine, pool: NetworkPool) -> None:
        self._database = database
        self._engine = engine
        self._pool = pool
        self._ready: dict[str, str] = {}
        self._lock = asyncio.Lock()

    async def network(self, tenant_id: str) -> str:
        async with self._lock:
            if tenant_id in self._ready:
                return self._ready[tenant_id]
            async with self._database.session() as session:
                own = await networks.subnet_of(session, tenant_id)
            for subnet in self._candidates(own):
                try:
                    name = await self._engine.ensure_network(NetworkSpec(tenant_id, subnet))
                except Conflict as error:
                    existing = error.details.get("subnet")
                    if error.details.get("reason") == "subnet_mismatch" and isinstance(existing, str):
                        name = await self._engine.ensure_network(NetworkSpec(tenant_id, existing))
                    elif error.details.get("reason") == "subnet":
                        continue
                    else:
                        raise
                self._ready[tenant_id] = name
                return name
        raise Unavailable(f"the engine has no room for a network in {self._pool.cidr}")

    def _candidates(self, own: str | None) -> Iterator[str]:
        if own is not None:
            yield own
        for network in ipaddress.ip_network(self._pool.cidr).subnets(new_prefix=self._pool.prefix):
            yield str(network)

    async def address(self, tenant_id: str, object_id: str, container_name: str) -> str | None:
        return None

    async def release(self, container_name: str) -> None:
        """Nothing was reserved."""

    async def release_tenant(self, tenant_id: str) -> None:
        async with self._lock:
            self._ready.pop(tenant_id, None)
            await self._engine.remove_network(tenant_id)

    def forget_networks(self) -> None:
        self._ready.clear()
