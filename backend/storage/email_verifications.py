"""Queries about proofs of e-mail addresses. Each runs in the session that it is handed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.domain.accounts import User
from backend.storage.tables import EmailVerificationRow


@dataclass(frozen=True, slots=True)
class StoredVerification:
    user_id: str
    email: str
    expires_at: datetime
    used_at: datetime | None


async def insert_verification(
    session: AsyncSession, user: User, token_hash: str, created_at: datetime, expires_at: datetime
) -> None:
    session.add(
        EmailVerificationRow(
            token_hash=token_hash,
            tenant_id=user.tenant_id,
            user_id=user.id,
            email=user.email,
            created_at=created_at,
            expires_at=expires_at,
        )
    )
    await session.flush()


async def verification_by_hash(session: AsyncSession, token_hash: str) -> StoredVerification | None:
    query = select(
        col(EmailVerificationRow.user_id),
        col(EmailVerificationRow.email),
        col(EmailVerificationRow.expires_at),
        col(EmailVerificationRow.used_at),
    ).where(col(EmailVerificationRow.token_hash) == token_hash)
    row = (await session.execute(query)).first()
    return None if row is None else StoredVerification(*row)


async def asked_since(session: AsyncSession, user_id: str, since: datetime) -> list[datetime]:
    """When the user was sent mails since then, the oldest first."""
    query = (
        select(col(EmailVerificationRow.created_at))
        .where(col(EmailVerificationRow.user_id) == user_id, col(EmailVerificationRow.created_at) > since)
        .order_by(col(EmailVerificationRow.created_at))
    )
    return list(await session.scalars(query))


async def end_verifications(session: AsyncSession, user_id: str, at: datetime) -> None:
    """Tokens of the user that would still work no longer do."""
    await session.execute(
        update(EmailVerificationRow)
        .where(col(EmailVerificationRow.user_id) == user_id, col(EmailVerificationRow.expires_at) > at)
        .values(expires_at=at)
    )


async def mark_used(session: AsyncSession, token_hash: str, at: datetime) -> None:
    await session.execute(
        update(EmailVerificationRow).where(col(EmailVerificationRow.token_hash) == token_hash).values(used_at=at)
    )


async def forget_verifications(session: AsyncSession, before: datetime) -> None:
    """Those that were asked for before this time."""
    await session.execute(delete(EmailVerificationRow).where(col(EmailVerificationRow.created_at) < before))
