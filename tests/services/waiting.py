"""Waiting for what storage will say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

DEADLINE_SECONDS = 60.0


async def until(reached: Callable[[], bool | Awaitable[bool]]) -> None:
    """Until `reached()` is true, looking often."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (await answer if isinstance(answer := reached(), Awaitable) else answer):
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)
