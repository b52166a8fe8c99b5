"""Queries about invitations to register. Each runs in the session that it is handed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.storage.accounts import email_key
from backend.storage.tables import InvitationRow


async def insert(session: AsyncSession, code_hash: str, email: str, created_at: datetime, expires_at: datetime) -> None:
    session.add(
        InvitationRow(code_hash=code_hash, email_key=email_key(email), created_at=created_at, expires_at=expires_at)
    )
    await session.flush()


async def invites(session: AsyncSession, code_hash: str, email: str, at: datetime) -> bool:
    """Whether this code invites this address now."""
    query = select(col(InvitationRow.code_hash)).where(col(InvitationRow.code_hash) == code_hash, *_open_to(email, at))
    return await session.scalar(query) is not None


async def use(session: AsyncSession, email: str, at: datetime, *, code_hash: str | None = None) -> bool:
    """Use up what invites this address now, by this code or by any; False where nothing does."""
    query = update(InvitationRow).where(*_open_to(email, at))
    if code_hash is not None:
        query = query.where(col(InvitationRow.code_hash) == code_hash)
    used = await session.execute(query.values(used_at=at).returning(col(InvitationRow.code_hash)))
    return used.first() is not None


def _open_to(email: str, at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(InvitationRow.email_key) == email_key(email),
        col(InvitationRow.expires_at) > at,
        col(InvitationRow.used_at).is_(None),
    )


async def end_of(session: AsyncSession, email: str, at: datetime) -> None:
    """Invitations to this address that would still work no longer do."""
    await session.execute(
        update(InvitationRow)
        .where(col(InvitationRow.email_key) == email_key(email), col(InvitationRow.expires_at) > at)
        .values(expires_at=at)
    )


async def forget(session: AsyncSession, before: datetime) -> None:
    """Those that ended before this time."""
    await session.execute(delete(InvitationRow).where(col(InvitationRow.expires_at) < before))
