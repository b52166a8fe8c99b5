"""How often the kernel killed something in a container for want of memory.

The engine's own flag (`OOMKilled`) is not enough for a process started in a running container: the engine hears of it
late, or, seen with Debian's 20.10 and a cgroup parent of its own, never. The kernel's counter is exact and at once.
"""

from __future__ import annotations

import asyncio

from backend.domain.errors import DomainError
from backend.engines.connection import EngineConnection
from backend.engines.exec_process import open_process

SECONDS = 5.0
# A container sees its own cgroup here: with cgroup v2, then with v1. Only what every shell has built in is used.
_SCRIPT = """
for file in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
    [ -r "$file" ] || continue
    while read -r name count; do
        [ "$name" = oom_kill ] && echo "$count"
    done < "$file"
done
"""


async def count_memory_kills(connection: EngineConnection, installation: str, container_id: str) -> int | None:
    """Since the container was started. None where it cannot be told: it does not run, or has no shell, or the kernel
    does not count."""
    output = b""
    try:
        async with asyncio.timeout(SECONDS):
            process = await open_process(
                connection, installation, container_id, ["/bin/sh", "-c", _SCRIPT], env={}, user=None, working_dir=None
            )
            try:
                while chunks := await process.read():
                    output += b"".join(data for stream, data in chunks if stream == "stdout")
            finally:
                await process.close()
    except (DomainError, TimeoutError):
        return None
    counts = [int(word) for word in output.split() if word.isdigit()]
    return max(counts, default=None)
