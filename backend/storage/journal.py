"""Queries on the journal."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.domain.journal import JournalEntry, JournalKind
from backend.storage.tables import JournalRow


async def append(
    session: AsyncSession,
    *,
    tenant_id: str,
    object_id: str,
    object_short_id: str,
    generation: int,
    kind: JournalKind,
    actor: str,
    message: str,
    data: Mapping[str, object],
    at: datetime,
) -> JournalEntry:
    """Add one row; the returned entry holds its sequence. It is durable when the session's transaction is."""
    row = JournalRow(
        tenant_id=tenant_id,
        object_id=object_id,
        object_short_id=object_short_id,
        generation=generation,
        kind=kind.value,
        actor=actor,
        message=message,
        data=dict(data),
        at=at,
    )
    session.add(row)
    await session.flush()
    return _to_entry(row)


async def of_object(
    session: AsyncSession,
    object_id: str,
    *,
    before: int | None,
    limit: int,
    kinds: Collection[JournalKind] | None = None,
) -> list[JournalEntry]:
    """Newest first, of sequences below `before`; of these kinds only, where some are given."""
    query = select(JournalRow).where(col(JournalRow.object_id) == object_id)
    if kinds is not None:
        query = query.where(col(JournalRow.kind).in_([kind.value for kind in kinds]))
    if before is not None:
        query = query.where(col(JournalRow.sequence) < before)
    rows = await session.scalars(query.order_by(col(JournalRow.sequence).desc()).limit(limit))
    return [_to_entry(row) for row in rows]


async def of_tenant(session: AsyncSession, tenant_id: str, *, limit: int) -> list[JournalEntry]:
    """The newest of all objects of a tenant, newest first."""
    query = select(JournalRow).where(col(JournalRow.tenant_id) == tenant_id)
    rows = await session.scalars(query.order_by(col(JournalRow.sequence).desc()).limit(limit))
    return [_to_entry(row) for row in rows]


async def after(
    session: AsyncSession, sequence: int, kinds: Collection[JournalKind], *, limit: int
) -> list[JournalEntry]:
    """Entries of these kinds and all tenants, oldest first, of sequences above `sequence`."""
    query = (
        select(JournalRow)
        .where(col(JournalRow.sequence) > sequence, col(JournalRow.kind).in_([kind.value for kind in kinds]))
        .order_by(col(JournalRow.sequence))
        .limit(limit)
    )
    return [_to_entry(row) for row in await session.scalars(query)]


async def newest_sequence(session: AsyncSession) -> int:
    """The last row's; 0 where there is none."""
    return await session.scalar(select(func.max(col(JournalRow.sequence)))) or 0


async def first_of_kind(session: AsyncSession, object_id: str, kind: JournalKind) -> JournalEntry | None:
    """An object's oldest entry of a kind."""
    query = (
        select(JournalRow)
        .where(col(JournalRow.object_id) == object_id, col(JournalRow.kind) == kind.value)
        .order_by(col(JournalRow.sequence))
        .limit(1)
    )
    row = await session.scalar(query)
    return None if row is None else _to_entry(row)


async def forget_before(session: AsyncSession, moment: datetime) -> int:
    """Delete entries before a moment, but each object's newest; how many went."""
    newest = select(func.max(col(JournalRow.sequence))).group_by(col(JournalRow.object_id))
    old = (col(JournalRow.at) < moment, col(JournalRow.sequence).not_in(newest))
    count = await session.scalar(select(func.count()).select_from(JournalRow).where(*old))
    if count:
        await session.execute(delete(JournalRow).where(*old))
    return count or 0


def _to_entry(row: JournalRow) -> JournalEntry:
    assert row.sequence is not None
    return JournalEntry(
        sequence=row.sequence,
        tenant_id=row.tenant_id,
        object_id=row.object_id,
        object_short_id=row.object_short_id,
        generation=row.generation,
        kind=JournalKind(row.kind),
        actor=row.actor,
        message=row.message,
        data=row.data,
        at=row.at,
    )
