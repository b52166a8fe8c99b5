"""aiosqlite with one trip to the connection's thread per statement. Its own cursor takes four (open, execute, fetch,
close), and the trips, not SQLite, are most of what a small query costs."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import aiosqlite

Description = tuple[tuple[str, None, None, None, None, None, None], ...]


@dataclass(frozen=True, slots=True)
class _Outcome:
    rows: Sequence[Any] = ()
    description: Description | None = None
    rowcount: int = -1
    lastrowid: int | None = None


class BufferedCursor:
    """What SQLAlchemy asks of a cursor. The rows of a statement are fetched with it."""

    def __init__(self, run: Callable[[Callable[[sqlite3.Connection], _Outcome]], Any]) -> None:
        self._run = run
        self._outcome = _Outcome()
        self._rows: deque[Any] = deque()
        self.arraysize = 1

    @property
    def description(self) -> Description | None:
        return self._outcome.description

    @property
    def rowcount(self) -> int:
        return self._outcome.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._outcome.lastrowid

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> BufferedCursor:
        return await self._keep(lambda connection: connection.execute(sql, parameters))

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> BufferedCursor:
        return await self._keep(lambda connection: connection.executemany(sql, parameters))

    async def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        count = min(self.arraysize if size is None else size, len(self._rows))
        return [self._rows.popleft() for _ in range(count)]

    async def fetchall(self) -> list[Any]:
        rows = list(self._rows)
        self._rows.clear()
        return rows

    async def close(self) -> None:
        self._rows.clear()

    async def __aenter__(self) -> BufferedCursor:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()

    async def __aiter__(self) -> AsyncIterator[Any]:
        while self._rows:
            yield self._rows.popleft()

    async def _keep(self, statement: Callable[[sqlite3.Connection], sqlite3.Cursor]) -> BufferedCursor:
        def work(connection: sqlite3.Connection) -> _Outcome:
            cursor = statement(connection)
            try:
                # Fetched first: where a statement writes and returns, its row count is complete only then.
                rows = cursor.fetchall() if cursor.description else ()
                return _Outcome(rows, cursor.description, cursor.rowcount, cursor.lastrowid)
            finally:
                cursor.close()

        self._outcome = await self._run(work)
        self._rows = deque(self._outcome.rows)
        return self


class _Connection(aiosqlite.Connection):
    def cursor(self) -> BufferedCursor:  # type: ignore[override]
        async def run(work: Callable[[sqlite3.Connection], _Outcome]) -> Any:
            return await self._execute(work, self._conn)  # type: ignore[no-untyped-call]

        return BufferedCursor(run)


async def connect(file: str, settings: Sequence[str], lock_wait_seconds: float) -> aiosqlite.Connection:
    """A connection whose driver begins no transactions of its own, after running `settings` (pragmas) on it."""

    def opened() -> sqlite3.Connection:
        connection = sqlite3.connect(file, timeout=lock_wait_seconds, isolation_level=None, check_same_thread=False)
        try:
            for setting in settings:
                connection.execute(setting).close()
        except BaseException:
            connection.close()
            raise
        return connection

    connection = _Connection(opened, iter_chunk_size=64)
    # A connection that was never closed must not keep the process from ending.
    connection._thread.daemon = True
    return await connection
