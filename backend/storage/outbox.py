"""Queries on what is to be delivered. Each runs in the session that it is handed; those that write rely on
transactions that run one after another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Update, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.domain.outbox import Channel, DeliveryStatus
from backend.storage.tables import OutboxRow


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that is this caller's to deliver until its claim ends. `attempts` counts this one."""

    id: str
    recipient: str
    sealed: bytes
    attempts: int
    created_at: datetime


async def insert(
    session: AsyncSession,
    *,
    delivery_id: str,
    tenant_id: str,
    channel: Channel,
    recipient: str,
    source: str,
    sealed: bytes,
    at: datetime,
) -> bool:
    """False, and nothing written, where something of the same source is already there."""
    known = await session.scalar(select(col(OutboxRow.id)).where(col(OutboxRow.source) == source))
    if known is not None:
        return False
    session.add(
        OutboxRow(
            id=delivery_id,
            tenant_id=tenant_id,
            channel=channel.value,
            recipient=recipient,
            source=source,
            sealed=sealed,
            status=DeliveryStatus.PENDING.value,
            created_at=at,
            next_attempt_at=at,
        )
    )
    await session.flush()
    return True


async def next_due(session: AsyncSession, channel: Channel) -> datetime | None:
    """When the next attempt of this channel is due; a claimed row's is when its claim ends."""
    query = (
        select(col(OutboxRow.next_attempt_at))
        .where(col(OutboxRow.status) == DeliveryStatus.PENDING.value, col(OutboxRow.channel) == channel.value)
        .order_by(col(OutboxRow.next_attempt_at))
        .limit(1)
    )
    due: datetime | None = await session.scalar(query)
    return due


async def claim(session: AsyncSession, channel: Channel, now: datetime, until: datetime, limit: int) -> list[Claimed]:
    """At most `limit` rows that are due, oldest first. Nobody else is given them before `until`; after that they are
    due again, as after a crash."""
    query = (
        select(OutboxRow)
        .where(
            col(OutboxRow.status) == DeliveryStatus.PENDING.value,
            col(OutboxRow.channel) == channel.value,
            col(OutboxRow.next_attempt_at) <= now,
        )
        .order_by(col(OutboxRow.next_attempt_at), col(OutboxRow.created_at), col(OutboxRow.source))
        .limit(limit)
    )
    rows = list(await session.scalars(query))
    for row in rows:
        row.next_attempt_at = until
        row.attempts += 1
    await session.flush()
    return [Claimed(row.id, row.recipient, row.sealed, row.attempts, row.created_at) for row in rows]


async def finish(session: AsyncSession, claimed: Claimed, status: DeliveryStatus, reason: str, at: datetime) -> None:
    """Delivered, or failed for good; the content is forgotten. Nothing happens where the claim ended meanwhile and
    another attempt is under way."""
    await session.execute(
        _held(claimed).values(status=status.value, last_error=reason, sealed=b"", finished_at=at, next_attempt_at=at)
    )


async def put_off(session: AsyncSession, claimed: Claimed, reason: str, until: datetime) -> None:
    """Try again then. Nothing happens where the claim ended meanwhile and another attempt is under way."""
    await session.execute(_held(claimed).values(last_error=reason, next_attempt_at=until))


def _held(claimed: Claimed) -> Update:
    return update(OutboxRow).where(
        col(OutboxRow.id) == claimed.id,
        col(OutboxRow.attempts) == claimed.attempts,
        col(OutboxRow.status) == DeliveryStatus.PENDING.value,
    )


async def counts(session: AsyncSession, tenant_id: str, channel: Channel) -> dict[DeliveryStatus, int]:
    """How many of a tenant's are in each status; finished ones while they are remembered."""
    query = (
        select(col(OutboxRow.status), func.count())
        .where(col(OutboxRow.tenant_id) == tenant_id, col(OutboxRow.channel) == channel.value)
        .group_by(col(OutboxRow.status))
    )
    return {DeliveryStatus(status): count for status, count in await session.execute(query)}


async def forget_finished(session: AsyncSession, before: datetime) -> None:
    """Rows that were delivered or given up before this time."""
    await session.execute(delete(OutboxRow).where(col(OutboxRow.finished_at) < before))
