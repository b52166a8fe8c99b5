"""What runs in a container, as the engine's host sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.domain.engine import Process
from backend.engines.connection import EngineConnection
from backend.engines.containers import require_ours
from backend.engines.errors import translated
from backend.engines.sdk import Client

_COLUMNS = "-eo pid,ppid,stat,comm"


async def list_processes(connection: EngineConnection, installation: str, container_id: str) -> list[Process]:
    """Raises NotFound; Conflict where it does not run, or the host's `ps` does not know these columns."""

    def look(client: Client) -> Mapping[str, Any]:
        require_ours(installation, client.inspect_container(container_id))
        return client.top(container_id, _COLUMNS)

    with translated(f"the processes of container {container_id[:12]} cannot be listed"):
        found = await connection.call(look)
    return [
        # Of the letters of STAT a plus sign tells that it is of its terminal's foreground group (ps(1)).
        Process(pid=int(pid), parent=int(parent), command=command, foreground="+" in status)
        for pid, parent, status, command in found.get("Processes") or []
    ]
