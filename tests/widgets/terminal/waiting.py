"""Wait for something on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def eventually(reached: Callable[[], object], seconds: float = 10.0) -> None:
    """Lets others run until `reached()` is true; fails after so many seconds."""
    for _ in range(int(seconds * 100)):
        if reached():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen in time")
