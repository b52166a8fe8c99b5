"""Queries about API keys. Each runs in the session that it is handed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.domain.accounts import ApiKey, User
from backend.domain.paging import Page, PageRequest
from backend.storage.accounts import USER_COLUMNS, to_user
from backend.storage.glances import Reading
from backend.storage.tables import ApiKeyRow, UserRow

_KEY_COLUMNS = (
    col(ApiKeyRow.id),
    col(ApiKeyRow.short_id),
    col(ApiKeyRow.user_id),
    col(ApiKeyRow.name),
    col(ApiKeyRow.description),
    col(ApiKeyRow.prefix),
    col(ApiKeyRow.created_at),
    col(ApiKeyRow.expires_at),
    col(ApiKeyRow.last_used),
)

# Built once: it runs before every request of a program.
_BY_HASH: Select[*tuple[Any, ...]] = (
    select(*USER_COLUMNS, *_KEY_COLUMNS)
    .join_from(ApiKeyRow, UserRow, col(UserRow.id) == col(ApiKeyRow.user_id))
    .where(col(ApiKeyRow.secret_hash) == bindparam("secret_hash"))
)


@dataclass(frozen=True, slots=True)
class StoredKey:
    key: ApiKey
    user: User


def _to_key(columns: Sequence[Any]) -> ApiKey:
    (id_, short_id, user_id, name, description, prefix, created_at, expires_at, last_used) = columns
    return ApiKey(
        id=id_,
        short_id=short_id,
        user_id=user_id,
        name=name,
        description=description,
        prefix=prefix,
        created_at=created_at,
        expires_at=expires_at,
        last_used=last_used,
    )


async def insert_key(session: AsyncSession, key: ApiKey, tenant_id: str, secret_hash: str) -> None:
    session.add(
        ApiKeyRow(
            id=key.id,
            short_id=key.short_id,
            tenant_id=tenant_id,
            user_id=key.user_id,
            name=key.name,
            description=key.description,
            prefix=key.prefix,
            secret_hash=secret_hash,
            created_at=key.created_at,
            expires_at=key.expires_at,
            last_used=key.last_used,
        )
    )
    await session.flush()


async def key_by_hash(session: Reading, secret_hash: str) -> StoredKey | None:
    row = (await session.execute(_BY_HASH, {"secret_hash": secret_hash})).first()
    return None if row is None else StoredKey(_to_key(row[len(USER_COLUMNS) :]), to_user(row))


async def keys_of_user(session: AsyncSession, user_id: str, request: PageRequest) -> Page[ApiKey]:
    """Newest first; expired ones too, until they are revoked."""
    mine = col(ApiKeyRow.user_id) == user_id
    total = (await session.execute(select(func.count()).select_from(ApiKeyRow).where(mine))).scalar_one()
    query = (
        select(*_KEY_COLUMNS)
        .where(mine)
        .order_by(col(ApiKeyRow.created_at).desc(), col(ApiKeyRow.id).desc())
        .offset(request.offset)
        .limit(request.limit)
    )
    return Page([_to_key(row) for row in await session.execute(query)], total, request)


async def delete_key(session: AsyncSession, user_id: str, reference: str) -> str | None:
    """The id of the key that was deleted, found by its id or short id; None where the user has no such key."""
    deleted = await session.execute(
        delete(ApiKeyRow)
        .where(
            col(ApiKeyRow.user_id) == user_id,
            or_(col(ApiKeyRow.id) == reference, col(ApiKeyRow.short_id) == reference),
        )
        .returning(col(ApiKeyRow.id))
    )
    return deleted.scalar_one_or_none()


async def note_use(session: AsyncSession, key_id: str, at: datetime, not_since: datetime) -> None:
    """Remember the use, unless one later than `not_since` is remembered already."""
    await session.execute(
        update(ApiKeyRow)
        .where(
            col(ApiKeyRow.id) == key_id,
            or_(col(ApiKeyRow.last_used).is_(None), col(ApiKeyRow.last_used) <= not_since),
        )
        .values(last_used=at)
    )
