"""Which failures of the driver mean that storage does not answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, TimeoutError

from backend.domain.errors import Unavailable

_SQLITE_CODES = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)

# Classes of SQLSTATE: connection, wrong login, transaction rolled back (deadlock), resources, object state (lock not
# available), operator intervention (shutting down), system error.
_POSTGRES_CLASSES = ("08", "28", "40", "53", "55", "57", "58")


@contextmanager
def as_unavailable(*, writing: bool = False) -> Iterator[None]:
    """Raises Unavailable in place of a driver's error that no change to the statement would cure. A refusal to write
    is one only where writing was meant."""
    try:
        yield
    except TimeoutError as error:
        raise Unavailable("storage is busy: no connection came free in time") from error
    except DBAPIError as error:
        if not _is_outage(error, writing=writing):
            raise
        raise Unavailable(f"storage does not answer: {error.orig}") from error


def _is_outage(error: DBAPIError, *, writing: bool) -> bool:
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        primary = code & 0xFF
        return primary in _SQLITE_CODES or (writing and primary == sqlite3.SQLITE_READONLY)
    state = getattr(error.orig, "sqlstate", None)
    return state is not None and state[:2] in _POSTGRES_CLASSES
