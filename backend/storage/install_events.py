"""Queries on what installations of environments said."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.domain.environments import InstallEvent, InstallEventKind
from backend.storage.tables import InstallEventRow

MAX_EVENTS = 10_000


async def append(session: AsyncSession, tenant_id: str, events: Sequence[InstallEvent]) -> None:
    """Add events of one environment, in the order of their sequences; of more than MAX_EVENTS the oldest go."""
    if not events:
        return
    for event in events:
        session.add(
            InstallEventRow(
                environment_id=event.environment_id,
                sequence=event.sequence,
                tenant_id=tenant_id,
                kind=event.kind.value,
                text=event.text,
                at=event.at,
            )
        )
    await session.flush()
    await session.execute(
        delete(InstallEventRow).where(
            col(InstallEventRow.environment_id) == events[-1].environment_id,
            col(InstallEventRow.sequence) <= events[-1].sequence - MAX_EVENTS,
        )
    )


async def of_environment(session: AsyncSession, environment_id: str, *, after: int = 0) -> list[InstallEvent]:
    """Those of sequences above `after`, oldest first."""
    query = (
        select(InstallEventRow)
        .where(col(InstallEventRow.environment_id) == environment_id, col(InstallEventRow.sequence) > after)
        .order_by(col(InstallEventRow.sequence))
    )
    return [
        InstallEvent(row.environment_id, row.sequence, InstallEventKind(row.kind), row.text, row.at)
        for row in await session.scalars(query)
    ]


async def newest_sequence(session: AsyncSession, environment_id: str) -> int:
    """The last event's; 0 where there is none."""
    query = select(func.max(col(InstallEventRow.sequence))).where(col(InstallEventRow.environment_id) == environment_id)
    return await session.scalar(query) or 0


async def clear(session: AsyncSession, environment_id: str) -> None:
    """Forget all of an environment: it is installed anew."""
    await session.execute(delete(InstallEventRow).where(col(InstallEventRow.environment_id) == environment_id))
