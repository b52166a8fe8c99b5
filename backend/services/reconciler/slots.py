"""Names, networks and fixed addresses of replica slots: a function of object and generation, so that a repeat after a
crash finds its own half-done work."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from backend.domain.deployments import Deployment
from backend.domain.engine import Engine, NetworkSpec
from backend.domain.errors import Conflict
from backend.services.journal import utc_now
from backend.storage import networks
from backend.storage.database import Database


@dataclass(frozen=True, slots=True)
class NetworkPool:
    """Where tenants' subnets come from: `cidr` cut into subnets of `prefix` bits."""

    cidr: str = "10.213.0.0/16"
    prefix: int = 23


def container_name(installation: str, deployment: Deployment, generation: int, ordinal: int) -> str:
    """`ph-<installation>-<app>-<id>-g<generation>-<ordinal>`."""
    return f"ph-{installation[:8]}-{deployment.app_name}-{deployment.short_id[4:]}-g{generation}-{ordinal}"


class SlotAllocator:
    def __init__(self, database: Database, engine: Engine, pool: NetworkPool) -> None:
        self._database = database
        self._engine = engine
        self._pool = pool
        self._ready: dict[str, str] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def forget_networks(self) -> None:
        """Look at every network anew: the engine was gone."""
        self._ready.clear()

    async def network(self, tenant_id: str) -> str:
        """The name of the tenant's network, made where it is not there."""
        async with self._locks.setdefault(tenant_id, asyncio.Lock()):
            known = self._ready.get(tenant_id)
            if known:
                return known
            refused: set[str] = set()
            while True:
                async with self._database.transaction() as session:
                    subnet = await networks.claim_subnet(
                        session, tenant_id, self._pool.cidr, self._pool.prefix, refused, utc_now()
                    )
                try:
                    name = await self._engine.ensure_network(NetworkSpec(tenant_id, subnet))
                except Conflict as error:
                    existing = error.details.get("subnet")
                    if error.details.get("reason") == "subnet_mismatch" and isinstance(existing, str):
                        async with self._database.transaction() as session:
                            await networks.adopt_subnet(session, tenant_id, existing)
                    else:
                        refused.add(subnet)
                    continue
                self._ready[tenant_id] = name
                return name

    async def addresses(self, tenant_id: str, object_id: str, names: Sequence[str]) -> dict[str, str]:
        """A fixed address for each container name of an object."""
        async with self._database.transaction() as session:
            return await networks.claim_addresses(session, tenant_id, object_id, names)

    async def release(self, names: Sequence[str]) -> None:
        async with self._database.transaction() as session:
            await networks.release_addresses(session, names)

    async def release_tenant(self, tenant_id: str) -> None:
        """Give back the network of a tenant that runs nothing any more."""
        async with self._locks.setdefault(tenant_id, asyncio.Lock()):
            self._ready.pop(tenant_id, None)
            await self._engine.remove_network(tenant_id)
            async with self._database.transaction() as session:
                await networks.forget_network(session, tenant_id)
