"""Queries on what installations of environments said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.domain.environments import InstallEvent, InstallEventKind
from backend.storage.environment_tables import InstallEventRow

MAX_EVENTS = 10_000


async def append(
    session: AsyncSession,
    environment_id: str,
    tenant_id: str,
    said: Sequence[tuple[InstallEventKind, str]],
    at: datetime,
    *,
    anew: bool = False,
) -> list[InstallEvent]:
    """Add what was said, in order; of more than MAX_EVENTS the oldest go, with `anew` all that were there. Sequences
    go on in either case, so that a reader who was told of some knows which are new."""
    newest = await newest_sequence(session, environment_id)
    events = [
        InstallEvent(environment_id, newest + place, kind, text, at) for place, (kind, text) in enumerate(said, start=1)
    ]
    oldest = newest if anew else newest + len(events) - MAX_EVENTS
    await session.execute(
        delete(InstallEventRow).where(
            col(InstallEventRow.environment_id) == environment_id, col(InstallEventRow.sequence) <= oldest
        )
    )
    for event in events[-MAX_EVENTS:]:
        session.add(
            InstallEventRow(
                environment_id=environment_id,
                sequence=event.sequence,
                tenant_id=tenant_id,
                kind=event.kind.value,
                text=event.text,
                at=at,
            )
        )
    await session.flush()
    return events


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


async def last_kind(session: AsyncSession, environment_id: str) -> InstallEventKind | None:
    """What the last event is; None where there is none."""
    query = (
        select(col(InstallEventRow.kind))
        .where(col(InstallEventRow.environment_id) == environment_id)
        .order_by(col(InstallEventRow.sequence).desc())
        .limit(1)
    )
    kind = await session.scalar(query)
    return None if kind is None else InstallEventKind(kind)


async def newest_sequence(session: AsyncSession, environment_id: str) -> int:
    """The last event's; 0 where there is none."""
    query = select(func.max(col(InstallEventRow.sequence))).where(col(InstallEventRow.environment_id) == environment_id)
    return await session.scalar(query) or 0
