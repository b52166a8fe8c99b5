"""Queries on clusters; what they are reached with goes in and out sealed. Each runs in the session it is handed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.domain.clusters import Cluster, ClusterKind, ClusterStatus
from backend.domain.environments import EnvironmentDesire
from backend.domain.errors import Conflict
from backend.storage.environment_tables import ClusterRow, EnvironmentRow


@dataclass(frozen=True, slots=True)
class StoredCluster:
    cluster: Cluster
    sealed: bytes | None


async def insert_cluster(session: AsyncSession, cluster: Cluster, tenant_id: str | None, sealed: bytes | None) -> None:
    """Raises Conflict where the name is taken."""
    session.add(
        ClusterRow(
            id=cluster.id,
            short_id=cluster.short_id,
            tenant_id=tenant_id,
            name=cluster.name,
            name_key=cluster.name.casefold(),
            description=cluster.description,
            kind=cluster.kind.value,
            provider=cluster.provider,
            region=cluster.region,
            sealed=sealed,
            status=cluster.status.value,
            node_count=cluster.node_count,
            created_at=cluster.created_at,
            updated_at=cluster.updated_at,
        )
    )
    try:
        await session.flush()
    except IntegrityError as error:
        raise _taken(cluster.name) from error


async def cluster_by_id(session: AsyncSession, cluster_id: str) -> StoredCluster | None:
    """By uuid or short id."""
    query = select(ClusterRow).where(or_(col(ClusterRow.id) == cluster_id, col(ClusterRow.short_id) == cluster_id))
    row = await session.scalar(query)
    return None if row is None else _to_stored(row)


async def local_cluster(session: AsyncSession) -> Cluster | None:
    row = await session.scalar(select(ClusterRow).where(col(ClusterRow.kind) == ClusterKind.LOCAL.value))
    return None if row is None else _to_stored(row).cluster


async def all_clusters(session: AsyncSession) -> list[Cluster]:
    """The oldest first."""
    rows = await session.scalars(select(ClusterRow).order_by(col(ClusterRow.created_at), col(ClusterRow.id)))
    return [_to_stored(row).cluster for row in rows]


async def write_cluster(session: AsyncSession, cluster_id: str, **columns: Any) -> None:
    """Set columns. Enumerations are stored as their values. Raises Conflict where a new name is taken."""
    values = {name: getattr(value, "value", value) for name, value in columns.items()}
    if "name" in values:
        values["name_key"] = values["name"].casefold()
    try:
        await session.execute(update(ClusterRow).where(col(ClusterRow.id) == cluster_id).values(**values))
    except IntegrityError as error:
        raise _taken(str(values.get("name"))) from error


async def remove_cluster(session: AsyncSession, cluster_id: str) -> None:
    await session.execute(delete(ClusterRow).where(col(ClusterRow.id) == cluster_id))


async def environments_on(session: AsyncSession, cluster_id: str, *, deleted_too: bool = True) -> int:
    """How many environments run there, or are to be removed from there, of any tenant."""
    query = select(func.count()).select_from(EnvironmentRow).where(col(EnvironmentRow.cluster_id) == cluster_id)
    if not deleted_too:
        query = query.where(col(EnvironmentRow.desired) != EnvironmentDesire.DELETED.value)
    return await session.scalar(query) or 0


def _taken(name: str) -> Conflict:
    return Conflict(f"a cluster with the name {name!r} is there already", details={"field": "name"})


def _to_stored(row: ClusterRow) -> StoredCluster:
    cluster = Cluster(
        id=row.id,
        short_id=row.short_id,
        name=row.name,
        description=row.description,
        kind=ClusterKind(row.kind),
        provider=row.provider,
        region=row.region,
        status=ClusterStatus(row.status),
        node_count=row.node_count,
        has_credentials=row.sealed is not None,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
    return StoredCluster(cluster, row.sealed)
