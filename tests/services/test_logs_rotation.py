"""A followed log whose file the engine replaces by a new one while it is written."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from backend.services.logs import LogService
from tests.services.running_replicas import DEADLINE, running_replicas

# The engine begins a new file every 10 MB: some 27 MB, quickly, then a line a while after the flood.
LINES = 25_000
WRITE = f"""
import sys, time
print("ready", flush=True)
time.sleep(0.5)
for number in range({LINES}):
    print(number, "." * 1000)
sys.stdout.flush()
time.sleep(1.5)
print("end", flush=True)
time.sleep(600)
"""


async def test_each_line_is_told_once_across_new_log_files() -> None:
    async with running_replicas() as app:
        logs = LogService(app.engine, app.view, app.deployment_of, queue_lines=LINES * 2)
        await app.run_command(["python3", "-c", WRITE], "python:3.11-slim")
        seen: list[str] = []
        async with asyncio.timeout(DEADLINE), aclosing(logs.follow(app.who, app.deployment.id, tail=None)) as batches:
            async for batch in batches:
                assert batch.dropped == 0
                seen += [record.message.partition(" ")[0] for record in batch.records]
                if seen[-1] == "end":
                    break
        assert seen == ["ready", *(str(number) for number in range(LINES)), "end"]
