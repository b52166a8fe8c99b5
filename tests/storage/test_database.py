"""The database on real files: isolation of readers, writers one after another, migrations, faults."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, func, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import SQLModel, col

import backend.storage.migrations
from backend.domain.errors import Invalid, Unavailable
from backend.storage.database import Database
from backend.storage.installation import installation_id
from backend.storage.migrations import HEAD
from backend.storage.schema import DatabaseTooNew
from backend.storage.tables import NetworkRow, TenantRow

NOW = datetime(2025, 1, 1, tzinfo=UTC)
EVERY_TABLE = SQLModel.metadata.tables.keys()


def tenant(number: int) -> TenantRow:
    return TenantRow(id=f"t{number}", short_id=f"tnt-{number}", name="tenant", created_at=NOW)


async def count(database: Database) -> int:
    async with database.session() as session:
        return (await session.execute(select(func.count()).select_from(TenantRow))).scalar_one()


async def insert_counter(database: Database) -> None:
    async with database.transaction() as session:
        session.add(tenant(0))
        await session.flush()
        session.add(NetworkRow(tenant_id="t0", subnet="10.0.0.0/23", next_host=0, created_at=NOW))


async def test_a_new_file_gets_the_whole_schema_and_is_private(tmp_path: Path) -> None:
    file = tmp_path / "100% new" / "of us.db"
    database = Database.at(file)
    await database.start()
    await database.ping()
    async with database.session() as session:
        names = set((await session.execute(text("SELECT name FROM sqlite_master WHERE type='table'"))).scalars())
        assert names >= set(EVERY_TABLE)
        assert (await session.execute(text("SELECT version_num FROM alembic_version"))).scalar_one() == HEAD
        for setting, expected in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            assert (await session.execute(text(f"PRAGMA {setting}"))).scalar_one() == expected
    for each in file.parent.iterdir():
        assert stat.S_IMODE(each.stat().st_mode) == 0o600
    await database.close()


async def test_starting_again_keeps_what_is_there(database: Database, file: Path) -> None:
    async with database.transaction() as session:
        session.add(tenant(1))
    await database.close()
    again = Database(f"sqlite:///{file}")
    await again.start()
    assert await count(again) == 1
    await again.close()


async def test_the_migrations_make_what_the_tables_say(database: Database, file: Path) -> None:
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []
    engine.dispose()


def test_head_is_the_newest_script() -> None:
    scripts = ScriptDirectory(str(Path(backend.storage.migrations.__file__).parent))
    assert scripts.get_heads() == [HEAD]


async def test_a_database_from_the_future_is_refused_and_left_alone(database: Database, file: Path) -> None:
    async with database.transaction() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await database.close()
    later = Database.at(file)
    with pytest.raises(DatabaseTooNew, match="newer Pilothouse"):
        await later.start()
    await later.close()
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)


async def test_many_starting_on_one_empty_file_migrate_it_once(tmp_path: Path) -> None:
    several = [Database.at(tmp_path / "shared.db") for _ in range(4)]
    await asyncio.gather(*(database.start() for database in several))
    ids = await asyncio.gather(*(installation_id(database, NOW) for database in several))
    assert len(set(ids)) == 1
    assert len(ids[0]) == 16
    assert int(ids[0], 16) >= 0
    for database in several:
        await database.close()


async def test_fifty_transactions_that_read_and_write_lose_nothing(database: Database, file: Path) -> None:
    other = Database.at(file)
    await insert_counter(database)

    async def count_up(through: Database) -> None:
        async with through.transaction() as session:
            seen = (await session.execute(select(NetworkRow.next_host))).scalar_one()
            await asyncio.sleep(0)
            await session.execute(update(NetworkRow).values(next_host=seen + 1))

    await asyncio.gather(*(count_up(each) for each in (database, other) for _ in range(25)))
    async with database.session() as session:
        assert (await session.execute(select(NetworkRow.next_host))).scalar_one() == 50
    await other.close()


_COUNT_UP = """
import asyncio, sys
from pathlib import Path
from sqlalchemy import select, update
from backend.storage.database import Database
from backend.storage.tables import NetworkRow

async def main() -> None:
    database = Database.at(Path(sys.argv[1]))
    await database.start()
    for _ in range(40):
        async with database.transaction() as session:
            seen = (await session.execute(select(NetworkRow.next_host))).scalar_one()
            await session.execute(update(NetworkRow).values(next_host=seen + 1))
    await database.close()

asyncio.run(main())
"""


async def test_two_processes_on_one_file_lose_nothing(database: Database, file: Path) -> None:
    await insert_counter(database)
    others = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", _COUNT_UP, str(file), stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for other in others:
        _, errors = await other.communicate()
        assert other.returncode == 0, errors.decode()
    async with database.session() as session:
        assert (await session.execute(select(NetworkRow.next_host))).scalar_one() == 80


async def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    with pytest.raises(LookupError):
        async with database.transaction() as session:
            session.add(tenant(1))
            await session.flush()
            raise LookupError
    assert await count(database) == 0


async def test_a_transaction_inside_another_is_a_mistake_that_shows(database: Database) -> None:
    with pytest.raises(RuntimeError, match="inside"):
        async with database.transaction(), database.transaction():
            pass
    async with database.transaction() as session:
        session.add(tenant(1))
    assert await count(database) == 1


async def test_cancelled_transactions_leave_nothing_and_do_not_block(database: Database) -> None:
    entered = asyncio.Event()

    async def hang() -> None:
        async with database.transaction() as session:
            session.add(tenant(1))
            await session.flush()
            entered.set()
            await asyncio.Event().wait()

    async def insert(number: int) -> None:
        async with database.transaction() as session:
            session.add(tenant(number))

    hanging = asyncio.create_task(hang())
    await entered.wait()
    waiting = [asyncio.create_task(insert(number)) for number in range(10, 20)]
    await asyncio.sleep(0)
    for task in waiting[::2]:
        task.cancel()
    hanging.cancel()
    await asyncio.gather(hanging, *waiting, return_exceptions=True)
    assert await count(database) == 5

    # Cancelled in the middle of a statement, at whatever point that is.
    for turns in range(1, 30):
        task = asyncio.create_task(insert(100 + turns))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await insert(1000)
    async with database.session() as session:
        assert (await session.execute(select(TenantRow.id).where(col(TenantRow.id) == "t1000"))).scalar_one()


async def test_readers_do_not_wait_for_the_writer_and_see_only_what_is_committed(database: Database) -> None:
    async with database.transaction() as session:
        session.add(tenant(1))
        await session.flush()
        assert await count(database) == 0
    assert await count(database) == 1


async def test_more_readers_than_connections_take_turns(database: Database) -> None:
    assert await asyncio.gather(*(count(database) for _ in range(60))) == [0] * 60


async def test_a_reading_session_cannot_write(database: Database) -> None:
    with pytest.raises(OperationalError, match="readonly"):
        async with database.session() as session:
            session.add(tenant(1))
            await session.flush()
    assert await count(database) == 0


async def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.transaction() as session:
            session.add(NetworkRow(tenant_id="nobody", subnet="10.0.0.0/23", created_at=NOW))


async def test_rows_outlive_their_session(database: Database) -> None:
    async with database.transaction() as session:
        row = tenant(1)
        session.add(row)
    assert row.name == "tenant"
    async with database.session() as session:
        found = (await session.execute(select(TenantRow))).scalars().one()
    assert found.created_at == NOW


async def test_a_mistake_in_a_statement_is_not_an_outage(database: Database) -> None:
    with pytest.raises(OperationalError, match="no such table"):
        async with database.session() as session:
            await session.execute(text("SELECT * FROM elsewhere"))


async def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear database," * 1000)
    database = Database.at(file)
    with pytest.raises(Unavailable, match="not a database"):
        await database.start()
    await database.close()


async def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    database = Database.at(tmp_path / "file" / "x.db")
    with pytest.raises(Unavailable, match="does not answer"):
        await database.start()
    await database.close()


async def test_a_server_that_does_not_listen_is_unavailable() -> None:
    database = Database("postgresql://user:hush@127.0.0.1:1/nothing?sslmode=disable")
    for call in (database.start, database.ping):
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1") as caught:
            await call()
        assert "hush" not in str(caught.value)
    await database.close()


@pytest.mark.parametrize("url", ["mysql://root:hush@db/x", "sqlite://", "sqlite:///:memory:", "hush", ""])
def test_other_addresses_are_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        Database(url)
    assert caught.value.fields[0].field == "database_url"
    assert "hush" not in str(caught.value)


_WRITE_FOREVER = """
import asyncio, sys
from pathlib import Path
from sqlalchemy import select, update
from backend.storage.database import Database
from backend.storage.tables import NetworkRow

async def main() -> None:
    database = Database.at(Path(sys.argv[1]))
    await database.start()
    for number in range(1, 1_000_000):
        async with database.transaction() as session:
            await session.execute(update(NetworkRow).values(next_host=number))
        print(number, flush=True)

asyncio.run(main())
"""


async def test_what_was_committed_before_a_kill_is_there(database: Database, file: Path) -> None:
    await insert_counter(database)
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WRITE_FOREVER, str(file), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert other.stdout is not None
    for _ in range(25):
        assert await other.stdout.readline()
    other.kill()
    told = [int(line) for line in (await other.stdout.read()).split(b"\n")[:-1]]
    await other.wait()
    async with database.session() as session:
        kept = (await session.execute(select(NetworkRow.next_host))).scalar_one()
        assert (await session.execute(text("PRAGMA integrity_check"))).scalar_one() == "ok"
    assert kept >= max(told, default=25)
    async with database.transaction() as session:
        await session.execute(update(NetworkRow).values(next_host=0))
