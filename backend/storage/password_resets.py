"""Queries about password resets. Each runs in the session that it is handed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.domain.accounts import User
from backend.storage.tables import PasswordResetRow


@dataclass(frozen=True, slots=True)
class StoredReset:
    user_id: str
    expires_at: datetime
    used_at: datetime | None


async def insert_reset(
    session: AsyncSession, user: User, token_hash: str, created_at: datetime, expires_at: datetime
) -> None:
    session.add(
        PasswordResetRow(
            token_hash=token_hash,
            tenant_id=user.tenant_id,
            user_id=user.id,
            created_at=created_at,
            expires_at=expires_at,
        )
    )
    await session.flush()


async def reset_by_hash(session: AsyncSession, token_hash: str) -> StoredReset | None:
    query = select(
        col(PasswordResetRow.user_id), col(PasswordResetRow.expires_at), col(PasswordResetRow.used_at)
    ).where(col(PasswordResetRow.token_hash) == token_hash)
    row = (await session.execute(query)).first()
    return None if row is None else StoredReset(*row)


async def asked_since(session: AsyncSession, user_id: str, since: datetime) -> int:
    """How many the user was sent since then."""
    query = (
        select(func.count())
        .select_from(PasswordResetRow)
        .where(col(PasswordResetRow.user_id) == user_id, col(PasswordResetRow.created_at) > since)
    )
    return await session.scalar(query) or 0


async def end_resets(session: AsyncSession, user_id: str, at: datetime) -> None:
    """Tokens of the user that would still work no longer do."""
    await session.execute(
        update(PasswordResetRow)
        .where(col(PasswordResetRow.user_id) == user_id, col(PasswordResetRow.expires_at) > at)
        .values(expires_at=at)
    )


async def mark_used(session: AsyncSession, token_hash: str, at: datetime) -> None:
    await session.execute(
        update(PasswordResetRow).where(col(PasswordResetRow.token_hash) == token_hash).values(used_at=at)
    )


async def forget_resets(session: AsyncSession, before: datetime) -> None:
    """Those that were asked for before this time."""
    await session.execute(delete(PasswordResetRow).where(col(PasswordResetRow.created_at) < before))
