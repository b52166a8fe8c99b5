"""The buffered cursor under SQLAlchemy: what each way of running a statement gives back."""

from __future__ import annotations

import gc
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from backend.storage.database import Database
from backend.storage.tables import JournalRow, TenantRow

NOW = datetime(2025, 1, 1, tzinfo=UTC)


def tenants(count: int) -> list[dict[str, object]]:
    return [{"id": f"t{n:04}", "short_id": f"tnt-{n}", "name": "tenant", "created_at": NOW} for n in range(count)]


async def test_many_rows_go_in_and_come_out_in_order(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(insert(TenantRow), tenants(500))
    async with database.session() as session:
        query = select(TenantRow.id).order_by(TenantRow.id)
        ids = list((await session.execute(query)).scalars())
        assert ids == [f"t{n:04}" for n in range(500)]
        assert (await session.execute(query)).scalars().fetchmany(3) == ids[:3]
        streamed = [row.id async for row in await session.stream(query)]
        partitions = [len(part) async for part in (await session.stream(query)).partitions(200)]
    assert streamed == ids
    assert partitions == [200, 200, 100]


async def test_counts_of_rows_are_true(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(insert(TenantRow), tenants(10))
        first = col(TenantRow.id) < "t0004"
        changed: Any = await session.execute(update(TenantRow).where(first).values(name="first"))
        assert isinstance(changed, CursorResult)
        assert changed.rowcount == 4
        removed = await session.execute(delete(TenantRow).where(first).returning(col(TenantRow.id)))
        assert sorted(removed.scalars()) == ["t0000", "t0001", "t0002", "t0003"]
        none: Any = await session.execute(delete(TenantRow).where(first))
        assert none.rowcount == 0


async def test_a_sequence_numbers_its_rows(database: Database) -> None:
    entries = [
        JournalRow(
            tenant_id="t",
            object_id="o",
            object_short_id="dpl-o",
            generation=1,
            kind="k",
            actor="a",
            message="m",
            at=NOW,
        )
        for _ in range(3)
    ]
    async with database.transaction() as session:
        session.add_all(entries)
        await session.flush()
        assert [entry.sequence for entry in entries] == [1, 2, 3]


async def test_after_a_refused_statement_the_connection_goes_on(database: Database) -> None:
    for _ in range(3):
        with pytest.raises(IntegrityError):
            async with database.transaction() as session:
                await session.execute(insert(TenantRow), [*tenants(2), *tenants(1)])
    async with database.session() as session:
        assert (await session.execute(text("SELECT count(*) FROM tenants"))).scalar_one() == 0


def names_in(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def test_nothing_stays_open_after_closing(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        database = Database.at(tmp_path / "x.db")
        await database.start()
        await database.ping()
        async with database.transaction() as session:
            await session.execute(insert(TenantRow), tenants(1))
        await database.close()
        gc.collect()
    assert names_in(tmp_path) == ["x.db"]
