"""Whether a database takes what is written to it: a row is read from it and written to it again, durably. What a
connection has in memory answers long after its file is lost, and a full disk is read as ever."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError, TimeoutError

from backend.domain.errors import Unavailable
from backend.storage.dialects import Access, open_engine

# A store that somebody else is writing to is busy, not broken: it is not waited for longer.
_BUSY_SECONDS = 1.0

# One row, there since the first migration, that nobody else writes while a backend runs. As it stays the same size, the
# database does not grow.
_READ = "SELECT version_num FROM alembic_version"
_WRITE = "UPDATE alembic_version SET version_num = version_num"

_LOCK_NOT_AVAILABLE = "55P03"


class SqliteProbe:
    """Asks through a connection of its own each time, which knows nothing yet. A disk that hangs holds one thread,
    however often it is asked."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._identity: tuple[int, int] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="storage-probe")

    def remember_file(self) -> None:
        """From now on only the file that is there counts: who has it open would not notice another one."""
        self._identity = self._identity_now()

    async def ask(self) -> None:
        """Raises Unavailable where the database cannot be read or written."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._ask)
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(f"storage at {self._file} does not answer: {error}") from error

    async def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _identity_now(self) -> tuple[int, int]:
        found = Path(self._file).stat()
        if not found.st_size:
            raise OSError("its file is empty")
        return found.st_dev, found.st_ino

    def _ask(self) -> None:
        if self._identity not in (None, self._identity_now()):
            raise OSError("its file was replaced while it was in use: start the backend again")
        # The file alone, whose beginning the write-ahead log may have as well: without it nothing survives the log.
        with self._opened("mode=ro&immutable=1") as connection:
            try:
                connection.execute("PRAGMA schema_version").fetchall()
            except sqlite3.DatabaseError as error:
                # A checkpoint under way, or held up by a reader, may have told the file's new size and not yet written
                # its end. What is spoilt itself, the question below finds.
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
                    raise
        with self._opened("mode=rw") as connection:
            connection.execute("PRAGMA synchronous=FULL")
            try:
                connection.execute(_READ).fetchall()
                connection.execute(_WRITE)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise

    def _opened(self, how: str) -> closing[sqlite3.Connection]:
        address = f"file:{quote(self._file)}?{how}"
        return closing(sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None))


class ServerProbe:
    """Asks a database server through one connection that is kept, since making one costs it most."""

    def __init__(self, url: URL) -> None:
        self._engine = open_engine(url, Access.WRITE)

    async def ask(self) -> None:
        """Raises Unavailable where the database cannot be read or written, OSError where nobody listens."""
        try:
            async with self._engine.begin() as connection:
                await connection.execute(text(f"SET LOCAL lock_timeout = '{_BUSY_SECONDS:g}s'"))
                await connection.execute(text(_READ))
                await connection.execute(text(_WRITE))
        except TimeoutError as error:
            raise Unavailable("storage does not answer: the question before this one is still open") from error
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise Unavailable(f"storage does not answer: {error.orig}") from error

    async def close(self) -> None:
        await self._engine.dispose()
