"""Wait for something on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def eventually(reached: Callable[[], object], seconds: float = 60.0) -> None:
    """Lets others run until `reached()` is true; fails after so many seconds."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not reached():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)
