"""Queries about logins. Each runs in the session that it is handed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.domain.accounts import User
from backend.storage.accounts import USER_COLUMNS, to_user
from backend.storage.glances import Reading
from backend.storage.tables import SessionRow, UserRow


@dataclass(frozen=True, slots=True)
class StoredSession:
    id: str
    user: User
    expires_at: datetime
    revoked_at: datetime | None


_JOINED: Select[*tuple[Any, ...]] = select(
    *USER_COLUMNS, col(SessionRow.id), col(SessionRow.expires_at), col(SessionRow.revoked_at)
).join_from(SessionRow, UserRow, col(UserRow.id) == col(SessionRow.user_id))

# Built once: the first of them runs before every request.
_BY_ID = _JOINED.where(col(SessionRow.id) == bindparam("value"))
_BY_REFRESH_HASH = _JOINED.where(col(SessionRow.refresh_hash) == bindparam("value"))


async def insert_session(
    session: AsyncSession, session_id: str, user: User, refresh_hash: str, created_at: datetime, expires_at: datetime
) -> None:
    session.add(
        SessionRow(
            id=session_id,
            tenant_id=user.tenant_id,
            user_id=user.id,
            refresh_hash=refresh_hash,
            created_at=created_at,
            expires_at=expires_at,
        )
    )
    await session.flush()


async def session_by_id(session: Reading, session_id: str) -> StoredSession | None:
    return await _session(session, _BY_ID, session_id)


async def session_by_refresh_hash(session: Reading, refresh_hash: str) -> StoredSession | None:
    return await _session(session, _BY_REFRESH_HASH, refresh_hash)


async def _session(session: Reading, query: Select[*tuple[Any, ...]], value: str) -> StoredSession | None:
    row = (await session.execute(query, {"value": value})).first()
    return None if row is None else StoredSession(row[-3], to_user(row), expires_at=row[-2], revoked_at=row[-1])


async def revoke_session(session: AsyncSession, session_id: str, at: datetime) -> None:
    await session.execute(
        update(SessionRow)
        .where(col(SessionRow.id) == session_id, col(SessionRow.revoked_at).is_(None))
        .values(revoked_at=at)
    )


async def revoke_other_sessions(session: AsyncSession, user_id: str, keep: str | None, at: datetime) -> None:
    """All sessions of the user but `keep`."""
    query = update(SessionRow).where(col(SessionRow.user_id) == user_id, col(SessionRow.revoked_at).is_(None))
    if keep is not None:
        query = query.where(col(SessionRow.id) != keep)
    await session.execute(query.values(revoked_at=at))


async def forget_ended_sessions(session: AsyncSession, user_id: str, before: datetime) -> None:
    """Those of the user that expired or were revoked before this time."""
    await session.execute(
        delete(SessionRow).where(
            col(SessionRow.user_id) == user_id,
            or_(col(SessionRow.expires_at) < before, col(SessionRow.revoked_at) < before),
        )
    )
