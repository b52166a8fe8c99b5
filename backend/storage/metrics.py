"""Metric buckets: added to in one batch, read by range, dropped when they are too old.

A row's `samples` is the weight of its sums: milliseconds observed. `cpu_sum` is cores times milliseconds, `memory_sum`
bytes times milliseconds. So buckets add up exactly, whatever the sampling interval was.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from backend.domain.metrics import Resolution
from backend.storage.tables import DeploymentRow, MetricRow

_METRICS: Table = MetricRow.__table__  # type: ignore[attr-defined]
_DEPLOYMENTS: Table = DeploymentRow.__table__  # type: ignore[attr-defined]
_IDS_AT_ONCE = 500


@dataclass(slots=True)
class Bucket:
    """Sums of one deployment over one stretch of time. `requests` is None where they were not counted."""

    cpu_sum: float = 0.0
    memory_sum: float = 0.0
    weight: int = 0
    requests: int | None = None

    def add(self, other: Bucket) -> None:
        self.cpu_sum += other.cpu_sum
        self.memory_sum += other.memory_sum
        self.weight += other.weight
        if other.requests is not None:
            self.requests = (self.requests or 0) + other.requests


@dataclass(frozen=True, slots=True)
class BucketKey:
    deployment_id: str
    resolution: Resolution
    start: datetime


async def owners(session: AsyncSession, deployment_ids: Collection[str]) -> dict[str, str]:
    """The tenants of those deployments that exist."""
    found: dict[str, str] = {}
    ids = list(deployment_ids)
    for start in range(0, len(ids), _IDS_AT_ONCE):
        part = ids[start : start + _IDS_AT_ONCE]
        statement = select(_DEPLOYMENTS.c.id, _DEPLOYMENTS.c.tenant_id).where(_DEPLOYMENTS.c.id.in_(part))
        found.update((row.id, row.tenant_id) for row in await session.execute(statement))
    return found


async def add(session: AsyncSession, buckets: Mapping[BucketKey, Bucket], tenants: Mapping[str, str]) -> None:
    """Add to the stored buckets, making those that are missing. Deployments without a tenant are left out."""
    rows = [
        {
            "deployment_id": key.deployment_id,
            "resolution": key.resolution.value,
            "bucket": key.start,
            "tenant_id": tenants[key.deployment_id],
            "cpu_sum": bucket.cpu_sum,
            "memory_sum": bucket.memory_sum,
            "samples": bucket.weight,
            "requests": bucket.requests,
        }
        for key, bucket in buckets.items()
        if key.deployment_id in tenants
    ]
    if rows:
        await session.execute(_upsert(session.get_bind().dialect.name), rows)


def _upsert(dialect: str) -> Any:
    insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(_METRICS)
    old, new = _METRICS.c, statement.excluded
    requests = func.coalesce(old.requests + new.requests, old.requests, new.requests)
    return statement.on_conflict_do_update(
        index_elements=[old.deployment_id, old.resolution, old.bucket],
        set_={
            "cpu_sum": old.cpu_sum + new.cpu_sum,
            "memory_sum": old.memory_sum + new.memory_sum,
            "samples": old.samples + new.samples,
            "requests": requests,
        },
    )


async def read(
    session: AsyncSession, deployment_id: str, resolution: Resolution, start: datetime, end: datetime
) -> list[tuple[datetime, Bucket]]:
    """Buckets that begin from `start` to `end`, in order."""
    table = _METRICS.c
    statement = (
        select(table.bucket, table.cpu_sum, table.memory_sum, table.samples, table.requests)
        .where(
            table.deployment_id == deployment_id,
            table.resolution == resolution.value,
            table.bucket >= start,
            table.bucket <= end,
        )
        .order_by(table.bucket)
    )
    return [
        (row.bucket, Bucket(row.cpu_sum, row.memory_sum, row.samples, row.requests))
        for row in await session.execute(statement)
    ]


async def purge(session: AsyncSession, keep_from: Sequence[tuple[Resolution, datetime]]) -> None:
    """Drop buckets that began before their resolution's limit, and those of deployments that are gone."""
    table = _METRICS.c
    for resolution, limit in keep_from:
        await session.execute(delete(_METRICS).where(table.resolution == resolution.value, table.bucket < limit))
    living = select(_DEPLOYMENTS.c.id)
    await session.execute(delete(_METRICS).where(table.deployment_id.not_in(living)))
