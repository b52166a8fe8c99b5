"""A core in a process of its own, to be killed: makes one environment and then only works on it.

Arguments: folder, installation, key in hexadecimal, pool, engine url or '-', a JSON list of startup commands.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.services.environments.environment_core import EnvironmentCore


async def main(folder: str, installation: str, key: str, pool: str, commands: str) -> None:
    core = EnvironmentCore(Path(folder), installation=installation)
    core.key, core.pool = bytes.fromhex(key), pool
    await core.start()
    core.who = await core.user("ada")
    made = await core.create(*json.loads(commands))
    print(made.id, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
