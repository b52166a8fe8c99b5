"""Reading on the caller's own thread: the same isolation and faults as a session."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlmodel import col

from backend.domain.errors import Unavailable
from backend.storage.database import Database
from backend.storage.tables import TenantRow

NOW = datetime(2025, 1, 1, tzinfo=UTC)
TENANTS = 40


def tenant(number: int) -> TenantRow:
    return TenantRow(id=f"t{number}", short_id=f"tnt-{number}", name=f"tenant {number}", created_at=NOW)


async def count(database: Database) -> int:
    async with database.glance() as session:
        found: int = await session.scalar(select(func.count()).select_from(TenantRow))
        return found


async def test_a_glance_sees_all_that_is_committed_and_nothing_else(database: Database, file: Path) -> None:
    other = Database.at(file)
    async with other.transaction() as session:
        session.add(tenant(1))
        await session.flush()
        assert await count(database) == 0
    assert await count(database) == 1
    await other.close()


async def test_a_glance_cannot_write(database: Database) -> None:
    with pytest.raises(OperationalError, match="readonly"):
        async with database.glance() as session:
            await session.execute(text("DELETE FROM tenants"))


async def test_glances_of_many_tasks_keep_apart(database: Database) -> None:
    async with database.transaction() as session:
        session.add_all(tenant(number) for number in range(TENANTS))

    async def name(number: int) -> str:
        async with database.glance() as session:
            await asyncio.sleep(0)
            row = (await session.execute(select(TenantRow).where(col(TenantRow.id) == f"t{number}"))).scalar_one()
            await asyncio.sleep(0)
        found: str = row.name
        return found

    names = await asyncio.gather(*(name(number) for number in range(TENANTS)))
    assert names == [f"tenant {number}" for number in range(TENANTS)]


async def test_a_mistake_in_a_statement_is_not_an_outage(database: Database) -> None:
    with pytest.raises(OperationalError, match="no such table"):
        async with database.glance() as session:
            await session.execute(text("SELECT * FROM elsewhere"))


async def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear database," * 1000)
    database = Database.at(tmp_path / "letter.txt")
    with pytest.raises(Unavailable, match="not a database"):
        await count(database)
    await database.close()


async def test_a_closed_database_lets_the_file_go(database: Database) -> None:
    assert await count(database) == 0
    await database.close()
    assert await count(database) == 0, "it opens again, as sessions do"
    await database.close()
