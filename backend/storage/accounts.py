"""Queries about users. Each runs in the session that it is handed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.domain.accounts import Profile, Role, User
from backend.domain.deployments import DesiredState
from backend.domain.ids import Kind, new_short_id
from backend.storage.tables import ApiKeyRow, DeploymentRow, TenantRow, UserRow

# Columns, not rows: on the path of every request, building a row object would cost more than reading it.
USER_COLUMNS = (
    col(UserRow.id),
    col(UserRow.short_id),
    col(UserRow.tenant_id),
    col(UserRow.username),
    col(UserRow.email),
    col(UserRow.role),
    col(UserRow.is_active),
    col(UserRow.created_at),
    col(UserRow.updated_at),
    col(UserRow.last_login),
)


@dataclass(frozen=True, slots=True)
class Login:
    """A user and what proves it. `password_hash` is None for an account without a password."""

    user: User
    password_hash: str | None


def to_user(row: Sequence[Any]) -> User:
    """From a row that begins with `USER_COLUMNS`."""
    (id_, short_id, tenant_id, username, email, role, is_active, created_at, updated_at, last_login, *_) = row
    return User(
        id=id_,
        short_id=short_id,
        tenant_id=tenant_id,
        username=username,
        email=email,
        role=Role(role),
        is_active=is_active,
        created_at=created_at,
        updated_at=updated_at,
        last_login=last_login,
    )


async def usernames_of_tenant(session: AsyncSession, tenant_id: str) -> dict[str, str]:
    """Names by short id."""
    rows = await session.execute(
        select(col(UserRow.short_id), col(UserRow.username)).where(col(UserRow.tenant_id) == tenant_id)
    )
    return {row.short_id: row.username for row in rows}


def username_key(username: str) -> str:
    """What makes two usernames the same."""
    return username.casefold()


def email_key(email: str) -> str:
    """What makes two addresses the same account."""
    return email.casefold()


async def insert_user(session: AsyncSession, user: User, password_hash: str | None) -> None:
    """The user and its personal tenant."""
    session.add(
        TenantRow(id=user.tenant_id, short_id=new_short_id(Kind.TENANT), name=user.username, created_at=user.created_at)
    )
    await session.flush()
    session.add(
        UserRow(
            id=user.id,
            short_id=user.short_id,
            tenant_id=user.tenant_id,
            username=user.username,
            username_key=username_key(user.username),
            email=user.email,
            email_key=email_key(user.email),
            password_hash=password_hash,
            role=user.role.value,
            is_active=user.is_active,
            created_at=user.created_at,
            updated_at=user.updated_at,
            last_login=user.last_login,
        )
    )
    await session.flush()


async def username_taken(session: AsyncSession, username: str, *, by_other_than: str = "") -> bool:
    return await _taken(session, col(UserRow.username_key) == username_key(username), by_other_than)


async def email_taken(session: AsyncSession, email: str, *, by_other_than: str = "") -> bool:
    return await _taken(session, col(UserRow.email_key) == email_key(email), by_other_than)


async def _taken(session: AsyncSession, condition: ColumnElement[bool], by_other_than: str) -> bool:
    query = select(col(UserRow.id)).where(condition, col(UserRow.id) != by_other_than)
    return (await session.execute(query)).first() is not None


async def login_by_email(session: AsyncSession, email: str) -> Login | None:
    return await _login(session, col(UserRow.email_key) == email_key(email))


async def login_by_id(session: AsyncSession, user_id: str) -> Login | None:
    return await _login(session, col(UserRow.id) == user_id)


async def id_by_short_id(session: AsyncSession, short_id: str) -> str | None:
    found: str | None = await session.scalar(select(col(UserRow.id)).where(col(UserRow.short_id) == short_id))
    return found


async def _login(session: AsyncSession, condition: ColumnElement[bool]) -> Login | None:
    row: Any = (await session.execute(select(*USER_COLUMNS, col(UserRow.password_hash)).where(condition))).first()
    return None if row is None else Login(to_user(row), row[-1])


async def update_user(session: AsyncSession, user_id: str, username: str, email: str, at: datetime) -> None:
    await session.execute(
        update(UserRow)
        .where(col(UserRow.id) == user_id)
        .values(
            username=username,
            username_key=username_key(username),
            email=email,
            email_key=email_key(email),
            updated_at=at,
        )
    )


async def set_active(session: AsyncSession, user_id: str, active: bool, at: datetime) -> None:
    await session.execute(update(UserRow).where(col(UserRow.id) == user_id).values(is_active=active, updated_at=at))


async def touch_last_login(session: AsyncSession, user_id: str, at: datetime) -> None:
    await session.execute(update(UserRow).where(col(UserRow.id) == user_id).values(last_login=at))


async def set_password_hash(session: AsyncSession, user_id: str, old: str | None, new: str) -> bool:
    """False where the hash is no longer `old`: somebody else was faster."""
    changed = await session.execute(
        update(UserRow)
        .where(col(UserRow.id) == user_id, col(UserRow.password_hash).is_not_distinct_from(old))
        .values(password_hash=new)
        .returning(col(UserRow.id))
    )
    return changed.first() is not None


async def profile(session: AsyncSession, user_id: str, now: datetime) -> Profile | None:
    """The user with live counts: its tenant's deployments that are not being deleted, its own keys that still work."""
    deployments = (
        select(func.count())
        .select_from(DeploymentRow)
        .where(
            col(DeploymentRow.tenant_id) == col(UserRow.tenant_id),
            col(DeploymentRow.desired) != DesiredState.DELETED.value,
        )
        .scalar_subquery()
    )
    keys = (
        select(func.count())
        .select_from(ApiKeyRow)
        .where(
            col(ApiKeyRow.user_id) == col(UserRow.id),
            or_(col(ApiKeyRow.expires_at).is_(None), col(ApiKeyRow.expires_at) > now),
        )
        .scalar_subquery()
    )
    query = select(*USER_COLUMNS, deployments, keys).where(col(UserRow.id) == user_id)
    row: Any = (await session.execute(query)).first()
    return None if row is None else Profile(to_user(row), deployment_count=row[-2], api_key_count=row[-1])
