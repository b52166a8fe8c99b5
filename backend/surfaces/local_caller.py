"""The mark of a request that came from the owner of this machine's backend, through the unix socket."""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection

LOCAL_OWNER_KEY = "pilothouse.local_owner"


def is_local_owner(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """Whether the listener checked that the caller is this process's own user."""
    return connection.scope.get(LOCAL_OWNER_KEY) is True
