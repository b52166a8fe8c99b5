"""Queries about webhook targets, and about how far readers of the journal have come. Each runs in the session that it
is handed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.storage.tables import CursorRow, WebhookTargetRow


@dataclass(frozen=True, slots=True)
class DisabledTarget:
    """Why and since when a target is left alone."""

    disabled_at: datetime
    reason: str


async def disabled(session: AsyncSession, target: str) -> DisabledTarget | None:
    row = await session.get(WebhookTargetRow, target)
    return None if row is None or row.disabled_at is None else DisabledTarget(row.disabled_at, row.reason)


async def disable(session: AsyncSession, target: str, at: datetime, reason: str) -> None:
    """Where it is disabled already, since when and why stay."""
    if await session.get(WebhookTargetRow, target) is None:
        session.add(WebhookTargetRow(url=target, disabled_at=at, reason=reason))
        await session.flush()


async def forget_targets(session: AsyncSession, *, but: str) -> None:
    """All targets but one: they are no longer set."""
    await session.execute(delete(WebhookTargetRow).where(col(WebhookTargetRow.url) != but))


async def cursor(session: AsyncSession, name: str) -> int | None:
    """The sequence that a reader read last; None for one that never did."""
    found: int | None = await session.scalar(select(col(CursorRow.sequence)).where(col(CursorRow.name) == name))
    return found


async def set_cursor(session: AsyncSession, name: str, sequence: int) -> None:
    row = await session.get(CursorRow, name)
    if row is None:
        session.add(CursorRow(name=name, sequence=sequence))
    else:
        row.sequence = sequence
    await session.flush()


async def forget_cursor(session: AsyncSession, name: str) -> None:
    await session.execute(delete(CursorRow).where(col(CursorRow.name) == name))
