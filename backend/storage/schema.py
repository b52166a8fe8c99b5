"""Bringing the schema up to date."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import URL, Connection, event, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.domain.errors import Unavailable
from backend.storage.dialects import Access, open_engine
from backend.storage.migrations import HEAD

_SCRIPTS = Path(__file__).parent / "migrations"


class DatabaseTooNew(Unavailable):
    """A newer Pilothouse wrote this database."""


async def ensure_current(url: URL, readers: AsyncEngine, begin: Callable[[Connection], None]) -> None:
    """Apply the migrations that are missing, all in one transaction begun by `begin`, which lets one process in at
    a time. Raises DatabaseTooNew."""
    async with readers.connect() as connection:
        if await connection.run_sync(_revision) == HEAD:
            return
    engine = open_engine(url, Access.MIGRATE)
    event.listen(engine.sync_engine, "begin", begin)
    try:
        async with engine.begin() as writing:
            await writing.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _upgrade(connection: Connection) -> None:
    # Imported here: a database that is current, which is nearly every start, does without.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    revision = _revision(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise DatabaseTooNew(
            f"the database is of a newer Pilothouse (schema {revision}; this one knows up to {HEAD}):"
            " install that version again, or restore a backup made before it"
        )
    command.upgrade(config, "head")
    if connection.dialect.name == "sqlite" and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
        raise RuntimeError(f"the migration left {len(broken)} rows that refer to nothing: {broken[:5]}")
