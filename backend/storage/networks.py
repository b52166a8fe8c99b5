"""Queries on tenants' subnets and the fixed addresses of replica slots."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.domain.errors import Unavailable
from backend.storage.environment_tables import EnvironmentRow
from backend.storage.tables import AddressRow, DeploymentRow, NetworkRow

_FIRST_HOST = 2  # .0 is the network, .1 its gateway


async def subnet_of(session: AsyncSession, tenant_id: str) -> str | None:
    row = await session.get(NetworkRow, tenant_id)
    return row.subnet if row else None


async def claim_subnet(
    session: AsyncSession, tenant_id: str, pool: str, prefix: int, refused: set[str], at: datetime
) -> str:
    """The tenant's subnet: the first of the pool that is neither held nor refused by the engine. A subnet that the
    tenant holds but the engine refuses is exchanged. Raises Unavailable where the pool is used up."""
    row = await session.get(NetworkRow, tenant_id)
    if row and row.subnet not in refused:
        return row.subnet
    held = set(await session.scalars(select(col(NetworkRow.subnet))))
    for network in ipaddress.ip_network(pool).subnets(new_prefix=prefix):
        subnet = str(network)
        if subnet in held or subnet in refused:
            continue
        if row:
            row.subnet, row.next_host = subnet, _FIRST_HOST
            await session.execute(delete(AddressRow).where(col(AddressRow.tenant_id) == tenant_id))
        else:
            session.add(NetworkRow(tenant_id=tenant_id, subnet=subnet, created_at=at))
        await session.flush()
        return subnet
    raise Unavailable(f"no free subnet is left in the pool {pool}: widen it with the network_pool setting")


async def adopt_subnet(session: AsyncSession, tenant_id: str, subnet: str) -> None:
    """Take over the subnet that the tenant's network already has on the engine."""
    row = await session.get(NetworkRow, tenant_id)
    if row and row.subnet != subnet:
        row.subnet, row.next_host = subnet, _FIRST_HOST
        await session.execute(delete(AddressRow).where(col(AddressRow.tenant_id) == tenant_id))
        await session.flush()


async def claim_addresses(
    session: AsyncSession, tenant_id: str, object_id: str, container_names: Sequence[str]
) -> dict[str, str]:
    """An address for each name, the one it holds already or the next free. Raises Unavailable where none is left."""
    network_row = await session.get(NetworkRow, tenant_id)
    if network_row is None:
        raise Unavailable("the tenant has no network yet")
    rows = (await session.scalars(select(AddressRow).where(col(AddressRow.tenant_id) == tenant_id))).all()
    by_name = {row.container_name: row.address for row in rows}
    used = set(by_name.values())
    network = ipaddress.ip_network(network_row.subnet)
    last = network.num_addresses - 2
    found: dict[str, str] = {}
    for name in container_names:
        if name in by_name:
            found[name] = by_name[name]
            continue
        # The search goes round from where it last stopped, so that an address rests before it is used again.
        for step in range(last - _FIRST_HOST + 1):
            host = _FIRST_HOST + (network_row.next_host - _FIRST_HOST + step) % (last - _FIRST_HOST + 1)
            address = str(network.network_address + host)
            if address not in used:
                break
        else:
            raise Unavailable(f"no free address is left in {network_row.subnet}: remove replicas first")
        network_row.next_host = host + 1 if host < last else _FIRST_HOST
        used.add(address)
        found[name] = address
        session.add(AddressRow(container_name=name, tenant_id=tenant_id, object_id=object_id, address=address))
    await session.flush()
    return found


async def release_addresses(session: AsyncSession, container_names: Sequence[str]) -> None:
    await session.execute(delete(AddressRow).where(col(AddressRow.container_name).in_(container_names)))


async def release_object(session: AsyncSession, object_id: str) -> None:
    await session.execute(delete(AddressRow).where(col(AddressRow.object_id) == object_id))


async def forget_network(session: AsyncSession, tenant_id: str) -> None:
    await session.execute(delete(AddressRow).where(col(AddressRow.tenant_id) == tenant_id))
    await session.execute(delete(NetworkRow).where(col(NetworkRow.tenant_id) == tenant_id))


async def tenants(session: AsyncSession) -> Sequence[str]:
    """Tenants that were given a subnet."""
    return (await session.scalars(select(col(NetworkRow.tenant_id)))).all()


async def tenant_in_use(session: AsyncSession, tenant_id: str) -> bool:
    """Whether the tenant has anything, also what is being deleted, that runs on its network of the local engine."""
    deployment = select(col(DeploymentRow.id)).where(col(DeploymentRow.tenant_id) == tenant_id).limit(1)
    environment = (
        select(col(EnvironmentRow.id))
        .where(col(EnvironmentRow.tenant_id) == tenant_id, col(EnvironmentRow.cluster_id).is_(None))
        .limit(1)
    )
    return await session.scalar(deployment) is not None or await session.scalar(environment) is not None
