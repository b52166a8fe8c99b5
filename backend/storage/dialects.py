"""What differs between SQLite and PostgreSQL: addresses, drivers and the settings of a connection."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from backend.domain.errors import Invalid
from backend.storage.glances import open_glances
from backend.storage.sqlite_driver import connect

LOCK_WAIT_SECONDS = 15.0
CONNECT_SECONDS = 10.0
STATEMENT_SECONDS = 30.0
READERS = 8

_FIELD = "database_url"


class Access(Enum):
    """What an engine's connections are for. Migrations run without foreign keys, because SQLite changes a table by
    making it anew, and dropping the old one would delete what refers to it."""

    READ = "read"
    WRITE = "write"
    MIGRATE = "migrate"


def sqlite_url(file: Path) -> URL:
    return URL.create("sqlite+aiosqlite", database=str(file))


def database_url(url: str | URL) -> URL:
    """The address with the driver that we use. Raises Invalid at `database_url`, without repeating the address,
    which may hold a password."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise Invalid.at(_FIELD, "the database URL cannot be read: use sqlite:///<path> or postgresql://...") from error
    name = parsed.drivername.partition("+")[0]
    if name == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise Invalid.at(_FIELD, "the database URL names no file: use sqlite:///<path>")
        return parsed.set(drivername="sqlite+aiosqlite")
    if name in {"postgresql", "postgres"}:
        return _postgres_url(parsed)
    raise Invalid.at(_FIELD, f"{name!r} databases are not supported: use sqlite:///<path> or postgresql://...")


def _postgres_url(parsed: URL) -> URL:
    """libpq spells `sslmode` what asyncpg spells `ssl`."""
    query = dict(parsed.query)
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    return parsed.set(drivername="postgresql+asyncpg", query=query)


def open_engine(url: URL, access: Access) -> AsyncEngine:
    """An engine for one kind of access; connects when first used."""
    options = _sqlite_options(url, access) if url.get_backend_name() == "sqlite" else _postgres_options(access)
    return create_async_engine(url, hide_parameters=True, **options)


def open_inline_engine(url: URL) -> Engine | None:
    """What answers on the caller's own thread; None where the database is a server, which cannot."""
    if url.get_backend_name() != "sqlite":
        return None
    return open_glances(url.database or "", _sqlite_settings(Access.READ))


def _sqlite_settings(access: Access) -> list[str]:
    settings = [f"PRAGMA foreign_keys={'OFF' if access is Access.MIGRATE else 'ON'}", "PRAGMA synchronous=FULL"]
    return [*settings, "PRAGMA query_only=ON"] if access is Access.READ else settings


def _sqlite_options(url: URL, access: Access) -> dict[str, Any]:
    settings = _sqlite_settings(access)
    options: dict[str, Any] = {"async_creator": partial(connect, url.database or "", settings, LOCK_WAIT_SECONDS)}
    if access is Access.MIGRATE:
        return {**options, "poolclass": NullPool}
    if access is Access.WRITE:
        return {**options, "pool_size": 1, "max_overflow": 0}
    # Readers never begin a transaction: a rollback would be a useless trip to the connection's thread.
    return {**options, "pool_size": READERS, "max_overflow": 0, "skip_autocommit_rollback": True}


def _postgres_options(access: Access) -> dict[str, Any]:
    settings = {"application_name": "pilothouse", "lock_timeout": str(int(LOCK_WAIT_SECONDS * 1000))}
    arguments: dict[str, Any] = {"timeout": CONNECT_SECONDS, "server_settings": settings}
    if access is Access.MIGRATE:
        return {"connect_args": arguments, "poolclass": NullPool}
    arguments["command_timeout"] = STATEMENT_SECONDS
    options: dict[str, Any] = {"connect_args": arguments, "pool_pre_ping": True}
    if access is Access.WRITE:
        return {**options, "pool_size": 1, "max_overflow": 0}
    settings["default_transaction_read_only"] = "on"
    return {
        **options,
        "pool_size": READERS,
        "max_overflow": 0,
        "isolation_level": "AUTOCOMMIT",
        "skip_autocommit_rollback": True,
    }


def prepare_file(url: URL) -> None:
    """The database file, readable by its owner only, before SQLite makes it readable by all; its companions take
    over its mode."""
    file = Path(url.database or "")
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600, exist_ok=True)


async def use_write_ahead_log(url: URL) -> None:
    """Once per database; readers then never wait for the writer. Raises OSError."""
    await asyncio.to_thread(_switch_on, url.database or "")


def _switch_on(file: str) -> None:
    """SQLite does not wait for this lock by itself where another process starts at the same moment."""
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        try:
            with closing(sqlite3.connect(file, timeout=LOCK_WAIT_SECONDS)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                return
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise OSError(str(error)) from error
            time.sleep(0.02)
