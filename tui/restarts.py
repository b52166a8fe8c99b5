"""Starts the backend of this machine again where it ended without being asked to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.client.live import LiveState

DELAYS_SECONDS = (0.3, 2.0, 8.0)
"""Before the first, second, third start of a row; after these somebody has to look."""

CALM_SECONDS = 300.0
"""A backend that ran so long since it was started here begins a new row."""

ENDING_SECONDS = 0.2

STARTING = "Starting it again"
STOPPED = "It was stopped on purpose: ctrl+r starts it"
GIVEN_UP = "It ended again and again: see `pilothouse doctor`, then ctrl+r starts it"


class Restarts:
    """Says in `note` what is being done about a backend that does not run; "" while nothing is known to be wrong."""

    def __init__(
        self,
        data_dir: Path | None,
        start: Callable[[], Awaitable[object]],
        told: Callable[[], None],
        *,
        delays: Sequence[float] = DELAYS_SECONDS,
    ) -> None:
        """`start` returns once a backend answers, or raises StartFault; `told` is called when `note` changed."""
        self._data_dir = data_dir
        self._start = start
        self._told = told
        self._delays = delays
        self._row = 0
        self._last = 0.0
        self.note = ""

    async def bring_back(self, state: LiveState) -> None:
        """Returns when the backend answers again, or is left as it is. Raises StartFault where no start worked."""
        if not await self._was_killed(state):
            return
        if time.monotonic() - self._last > CALM_SECONDS:
            self._row = 0
        while state.stale:
            if self._row >= len(self._delays):
                self._say(GIVEN_UP)
                return
            self._say(STARTING)
            await asyncio.sleep(self._delays[self._row])
            if not await self._was_killed(state):
                return
            self._row += 1
            self._last = time.monotonic()
            if await self._started():
                return

    def came_back(self) -> None:
        """The backend answers."""
        self._say("")

    def asked(self) -> None:
        """Somebody looked, and asks for a start: a new row."""
        self._row = 0
        self._say("")

    async def _started(self) -> bool:
        from tui.client.errors import StartFault

        try:
            await self._start()
        except StartFault:
            if self._row >= len(self._delays):
                self._say(GIVEN_UP)
                raise
            return False
        return True

    async def _was_killed(self, state: LiveState) -> bool:
        """Whether nothing runs, and what ran had no time to say goodbye: one that stops takes its file along."""
        from backend.wire.rendezvous import Places, read_backend_info

        places = Places.of(self._data_dir)
        while state.stale:
            found = read_backend_info(places)
            if found is None:
                self._say(STOPPED)
                return False
            if not found.is_alive():
                return True
            # It is about to end, or hangs; the feed tries it again as long as it runs.
            await asyncio.sleep(ENDING_SECONDS)
        return False

    def _say(self, note: str) -> None:
        if note != self.note:
            self.note = note
            self._told()
