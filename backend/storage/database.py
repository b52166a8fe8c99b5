"""The database: sessions for reading, transactions for writing, one code path for SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from backend.domain.errors import Unavailable
from backend.storage.dialects import (
    Access,
    database_url,
    open_engine,
    open_inline_engine,
    prepare_file,
    sqlite_url,
    use_write_ahead_log,
)
from backend.storage.faults import as_unavailable
from backend.storage.glances import InlineSession, Reading
from backend.storage.probe import ServerProbe, SqliteProbe
from backend.storage.schema import ensure_current

# Any number that all processes of one installation agree on.
_WRITER_LOCK = 0x70696C6F74


class Database:
    """One database, opened twice: readers that cannot write, and a writer.

    A reading session runs in autocommit: each statement sees all that is committed, so that what must agree with
    each other is read by one statement (a join) or inside a transaction. Writing transactions of an installation
    run one after another, within the process and across processes, on either kind of database: code inside may
    read, decide and write without looking again.
    """

    def __init__(self, url: str | URL) -> None:
        """`url` is `sqlite:///<path>` or `postgresql://...`. Raises Invalid at `database_url` for any other."""
        self._url = database_url(url)
        self._sqlite = self._url.get_backend_name() == "sqlite"
        self._readers = open_engine(self._url, Access.READ)
        self._writer = open_engine(self._url, Access.WRITE)
        self._inline = open_inline_engine(self._url)
        self._probe = SqliteProbe(self._url.database or "") if self._sqlite else ServerProbe(self._url)
        event.listen(self._writer.sync_engine, "begin", _begin_writing)
        self._reading = _sessions(self._readers)
        self._writing = _sessions(self._writer)
        self._turn = asyncio.Lock()
        self._holder: asyncio.Task[object] | None = None

    @classmethod
    def at(cls, file: Path) -> Database:
        """SQLite in this file, whatever characters its path has."""
        return cls(sqlite_url(file))

    async def start(self) -> None:
        """Make the file private, switch on the write-ahead log and bring the schema up to date; nothing where that
        is so already. Raises Unavailable where storage does not answer, DatabaseTooNew (an Unavailable) where a newer
        Pilothouse wrote it."""
        with _connecting(self._url):
            if self._sqlite:
                prepare_file(self._url)
                await use_write_ahead_log(self._url)
            await ensure_current(self._url, self._readers, _begin_writing)
            if isinstance(self._probe, SqliteProbe):
                self._probe.remember_file()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """A session that reads; writing in it fails. Raises Unavailable where storage does not answer."""
        async with self._reading() as session:
            with _connecting(self._url):
                await session.connection()
            with as_unavailable():
                yield session

    def glance(self) -> AbstractAsyncContextManager[Reading]:
        """As `session`, for a few rows that indexes find: they are read on this thread where the database allows it,
        which is done before another one would have begun."""
        return self.session() if self._inline is None else InlineSession(self._inline)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session that writes, alone: commits at the end, rolls back where the block raises. Keep it short: never
        wait for anything else in it. Raises Unavailable where storage does not answer; nothing was written then,
        unless a remote server was lost in the moment of the commit. One inside another is a RuntimeError."""
        if self._holder is not None and self._holder is asyncio.current_task():
            raise RuntimeError("a transaction inside a transaction would wait for itself")
        async with self._turn, self._writing() as session:
            self._holder = asyncio.current_task()
            try:
                with _connecting(self._url):
                    await session.connection()
                with as_unavailable(writing=True):
                    yield session
                    await session.commit()
            finally:
                self._holder = None

    async def ping(self) -> None:
        """Reads and durably writes one row, whatever else is written meanwhile. Raises Unavailable where storage does
        not take it."""
        with _connecting(self._url):
            await self._probe.ask()

    async def close(self) -> None:
        """Let every connection go. Sessions still open fail."""
        await self._probe.close()
        await self._readers.dispose()
        await self._writer.dispose()
        if self._inline is not None:
            self._inline.dispose()


def _sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    return async_sessionmaker(engine, expire_on_commit=False)


def _begin_writing(connection: Connection) -> None:
    """Take the write lock at once: a lock taken at the first write could fail after reading."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")


@contextmanager
def _connecting(url: URL) -> Iterator[None]:
    """Only while connecting is an OSError one of storage."""
    try:
        with as_unavailable(writing=True):
            yield
    except OSError as error:
        place = url.database if url.get_backend_name() == "sqlite" else f"{url.host}:{url.port or 5432}"
        raise Unavailable(f"storage at {place} does not answer: {error}") from error
