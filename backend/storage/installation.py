"""The installation: its random id, and which account is the local owner's."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from backend.storage.database import Database
from backend.storage.tables import InstallationRow

_ID_BYTES = 8


async def installation_id(database: Database, now: datetime) -> str:
    """16 hexadecimal characters, random, made when first asked for and the same ever after."""
    async with database.session() as session:
        found = (await session.execute(select(InstallationRow.id))).scalar_one_or_none()
    if found is not None:
        return found
    async with database.transaction() as session:
        return await ensure_installation(session, now)


async def ensure_installation(session: AsyncSession, now: datetime) -> str:
    """The same, inside a transaction."""
    found = (await session.execute(select(InstallationRow.id))).scalar_one_or_none()
    if found is not None:
        return found
    made = secrets.token_hex(_ID_BYTES)
    session.add(InstallationRow(id=made, created_at=now))
    await session.flush()
    return made


async def owner_id(session: AsyncSession) -> str | None:
    """The id of the local owner's account; None until it is made."""
    return (await session.execute(select(InstallationRow.owner_id))).scalar_one_or_none()


async def set_owner(session: AsyncSession, user_id: str, now: datetime) -> None:
    installation = await ensure_installation(session, now)
    await session.execute(
        update(InstallationRow).where(col(InstallationRow.id) == installation).values(owner_id=user_id)
    )
