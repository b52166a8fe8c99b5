"""Queries about what only a user's own profile shows. Each runs in the session that it is handed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from backend.domain.accounts import Account, UserDetails
from backend.storage.accounts import USER_COLUMNS, to_user
from backend.storage.tables import UserRow

_DETAILS = (
    col(UserRow.full_name),
    col(UserRow.is_verified),
    col(UserRow.avatar_url),
    col(UserRow.subscription_plan),
)


async def account_by_id(session: AsyncSession, user_id: str) -> Account | None:
    row: Any = (await session.execute(select(*USER_COLUMNS, *_DETAILS).where(col(UserRow.id) == user_id))).first()
    return None if row is None else Account(to_user(row), UserDetails(*row[len(USER_COLUMNS) :]))


async def set_details(session: AsyncSession, user_id: str, details: UserDetails) -> None:
    await session.execute(
        update(UserRow)
        .where(col(UserRow.id) == user_id)
        .values(
            full_name=details.full_name,
            is_verified=details.is_verified,
            avatar_url=details.avatar_url,
            subscription_plan=details.subscription_plan,
        )
    )


async def set_verified(session: AsyncSession, user_id: str, verified: bool) -> None:
    await session.execute(update(UserRow).where(col(UserRow.id) == user_id).values(is_verified=verified))


async def id_by_google_subject(session: AsyncSession, subject: str) -> str | None:
    """The id of the user whom Google calls this."""
    return await session.scalar(select(col(UserRow.id)).where(col(UserRow.google_subject) == subject))


async def google_subject(session: AsyncSession, user_id: str) -> str | None:
    return await session.scalar(select(col(UserRow.google_subject)).where(col(UserRow.id) == user_id))


async def link_google(session: AsyncSession, user_id: str, subject: str) -> None:
    await session.execute(update(UserRow).where(col(UserRow.id) == user_id).values(google_subject=subject))
