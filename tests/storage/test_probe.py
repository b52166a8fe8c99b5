"""Whether `ping` says the truth: of a file that is lost, spoilt, replaced or full, and of one that is only busy."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from backend.domain.errors import Unavailable
from backend.storage.database import Database


def _move_away(file: Path) -> None:
    file.rename(file.with_suffix(".away"))


def _overwrite(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.write(b"\x5a\xc3" * (file.stat().st_size // 2))


def _overwrite_after_checkpoint(file: Path) -> None:
    _checkpoint(file)
    _overwrite(file)


def _empty(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate()


def _checkpoint(file: Path) -> int:
    """Bring all that was written into the file itself, and say how many bytes it has then."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.stat().st_size


def _replace(file: Path) -> None:
    copy = file.with_suffix(".copy")
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    copy.rename(file)


@pytest.mark.parametrize(
    "spoil",
    [_move_away, _overwrite, _overwrite_after_checkpoint, _empty, _replace],
    ids=["moved", "overwritten", "overwritten after checkpoint", "emptied", "replaced"],
)
async def test_a_file_that_is_lost_is_told(database: Database, file: Path, spoil: Callable[[Path], None]) -> None:
    await database.ping()
    spoil(file)
    with pytest.raises(Unavailable, match="storage"):
        await database.ping()


async def test_a_file_moved_away_is_not_made_anew(database: Database, file: Path) -> None:
    _move_away(file)
    with pytest.raises(Unavailable):
        await database.ping()
    assert file.name not in {one.name for one in await asyncio.to_thread(lambda: list(file.parent.iterdir()))}


# A limit of the process: a write beyond the first byte of any file fails, as on a disk that is full.
_PING_ON_A_FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
from backend.domain.errors import Unavailable
from backend.storage.database import Database

async def main() -> None:
    database = Database.at(Path(sys.argv[1]))
    await database.start()
    await database.ping()
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))
    try:
        await database.ping()
    except Unavailable as error:
        print("unavailable", error)
    await database.close()

asyncio.run(main())
"""


async def test_a_disk_that_takes_no_more_is_told(file: Path) -> None:
    asked = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PING_ON_A_FULL_DISK, str(file), stdout=subprocess.PIPE
    )
    told, _ = await asked.communicate()
    assert told.startswith(b"unavailable")


async def test_a_store_that_somebody_writes_to_is_only_busy(database: Database, file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await database.ping()
    async with database.transaction():
        await database.ping()


async def test_a_file_that_a_reader_keeps_from_being_written_back_whole_is_not_spoilt(
    database: Database, file: Path
) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as writer, closing(sqlite3.connect(file)) as reader:
        writer.execute("PRAGMA wal_autocheckpoint=0")
        writer.execute("CREATE TABLE words (word TEXT)")
        for _ in range(20):
            writer.execute("INSERT INTO words VALUES (?)", ("x" * 3000,))
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM words").fetchall()
        # Newer than what the reader sees, so that the file's last page is left out.
        writer.execute("UPDATE words SET word = replace(word, 'x', 'y') WHERE rowid > 15")
        writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
        for _ in range(3):
            await database.ping()


async def test_asking_does_not_let_the_database_grow(database: Database, file: Path) -> None:
    await database.ping()
    size = _checkpoint(file)
    for _ in range(100):
        await database.ping()
    assert _checkpoint(file) == size


async def test_a_file_with_any_name_is_found(tmp_path: Path) -> None:
    database = Database.at(tmp_path / "50% of #1?.db")
    await database.start()
    await database.ping()
    await database.close()
