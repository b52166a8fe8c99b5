"""Leases: who may reconcile an object. A higher fence always wins; a write with an older one is refused."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.storage.tables import LeaseRow


async def acquire(
    session: AsyncSession, object_id: str, tenant_id: str, holder: str, now: datetime, duration: timedelta
) -> int | None:
    """The fence of the lease, now held until `now + duration`; None while another holder's has not run out. The same
    holder takes it again at once (after a crash), with a higher fence."""
    row = await session.scalar(select(LeaseRow).where(col(LeaseRow.object_id) == object_id).with_for_update())
    if row is None:
        session.add(
            LeaseRow(object_id=object_id, tenant_id=tenant_id, holder=holder, fence=1, expires_at=now + duration)
        )
        await session.flush()
        return 1
    if row.holder != holder and row.expires_at > now:
        return None
    row.holder, row.fence, row.expires_at = holder, row.fence + 1, now + duration
    await session.flush()
    return row.fence


async def still_held(session: AsyncSession, object_id: str, fence: int) -> bool:
    """Whether nobody took the lease since. Ask it in the transaction of the write that it guards."""
    row = await session.scalar(select(LeaseRow).where(col(LeaseRow.object_id) == object_id).with_for_update())
    return row is not None and row.fence == fence


async def renew(session: AsyncSession, object_id: str, fence: int, until: datetime) -> bool:
    row = await session.scalar(select(LeaseRow).where(col(LeaseRow.object_id) == object_id).with_for_update())
    if row is None or row.fence != fence:
        return False
    row.expires_at = until
    await session.flush()
    return True


async def release(session: AsyncSession, object_id: str, fence: int, now: datetime) -> None:
    row = await session.scalar(select(LeaseRow).where(col(LeaseRow.object_id) == object_id).with_for_update())
    if row is not None and row.fence == fence:
        row.expires_at = now
        await session.flush()


async def forget(session: AsyncSession, object_id: str) -> None:
    row = await session.get(LeaseRow, object_id)
    if row is not None:
        await session.delete(row)
