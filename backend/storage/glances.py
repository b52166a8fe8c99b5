"""Reading a few rows at once, on the caller's own thread.

SQLite finds a row by an index in less time than it takes to hand the statement to another thread, and while the machine
is busy each handing over waits for its turn. What may read many rows belongs in a session, which keeps the loop free.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Engine, Executable, Result, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from backend.storage.faults import as_unavailable

# Readers of a write-ahead log wait for nobody, but for who repairs it after a crash.
LOCK_WAIT_SECONDS = 1.0


class Reading(Protocol):
    """What a query that only reads asks of its session."""

    async def execute(
        self, statement: Executable, params: Mapping[str, Any] | None = None, /
    ) -> Result[*tuple[Any, ...]]: ...

    async def scalar(self, statement: Executable, params: Mapping[str, Any] | None = None, /) -> Any: ...


class InlineSession:
    """A session on one SQLite connection that all share: its statements are done when the call returns. For an `async
    with` block, which raises Unavailable where storage does not answer."""

    __slots__ = ("_session",)

    def __init__(self, engine: Engine) -> None:
        self._session = Session(engine, autoflush=False, expire_on_commit=False)

    async def __aenter__(self) -> Reading:
        return self

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._session.close()
        if isinstance(error, SQLAlchemyError):
            with as_unavailable():
                raise error

    async def execute(
        self, statement: Executable, params: Mapping[str, Any] | None = None, /
    ) -> Result[*tuple[Any, ...]]:
        return self._session.execute(statement, params)

    async def scalar(self, statement: Executable, params: Mapping[str, Any] | None = None, /) -> Any:
        return self._session.scalar(statement, params)


def open_glances(file: str, settings: Sequence[str]) -> Engine:
    """An engine with one connection to a SQLite file, opened when first used, with those pragmas; it begins no
    transactions."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(file, timeout=LOCK_WAIT_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            for setting in settings:
                connection.execute(setting).close()
        except BaseException:
            connection.close()
            raise
        return connection

    return create_engine(
        "sqlite+pysqlite://", creator=connect, poolclass=StaticPool, skip_autocommit_rollback=True, hide_parameters=True
    )
