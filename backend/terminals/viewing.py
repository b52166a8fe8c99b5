"""The holder's side of one viewer: bounded output, bounded input."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from backend.domain.terminals import EndReason, TerminalEnd
from backend.terminals.protocol import data_frame, json_frame
from backend.terminals.wire_form import end_to_wire

# Output that waits for a viewer, beside what the kernel holds for it.
BEHIND_BYTES = 64 * 1024
CAUGHT_UP_BYTES = 16 * 1024
# A process that reads nothing for this long: the viewer whose input waits is let go.
STUCK_SECONDS = 60.0
# For the last words to reach a viewer that reads slowly.
FAREWELL_SECONDS = 20.0


class Viewing:
    """Made for a connection that asked to attach; it tells the session through the callbacks."""

    def __init__(self, transport: asyncio.Transport, columns: int, rows: int) -> None:
        self.size = (columns, rows)
        self.skipped = False
        self.is_behind = False
        self._unsent = 0
        self._transport = transport
        self._stuck_timer: asyncio.TimerHandle | None = None
        self._finished = False
        self.on_stuck: Callable[[Viewing], None] = lambda viewer: None
        transport.set_write_buffer_limits(high=BEHIND_BYTES, low=CAUGHT_UP_BYTES)

    def send(self, data: bytes) -> None:
        if not self._finished:
            self._transport.write(data_frame(data))

    def tell(self, message: Mapping[str, Any]) -> None:
        if not self._finished:
            self._transport.write(json_frame(message))

    def fell_behind(self) -> None:
        """Its buffer is full."""
        self.is_behind = True
        self._unsent = self._transport.get_write_buffer_size()

    def caught_up(self) -> None:
        self.is_behind = False

    def makes_progress(self) -> bool:
        """Whether it read anything since this was asked last, or since it fell behind."""
        before, self._unsent = self._unsent, self._transport.get_write_buffer_size()
        return self._unsent < before

    def hold_input(self, held: bool) -> None:
        """Take nothing more from it while the process does not read."""
        if self._finished:
            return
        if held and self._stuck_timer is None:
            self._transport.pause_reading()
            self._stuck_timer = asyncio.get_running_loop().call_later(STUCK_SECONDS, self._stuck)
        elif not held and self._stuck_timer is not None:
            self._stuck_timer.cancel()
            self._stuck_timer = None
            self._transport.resume_reading()

    def _stuck(self) -> None:
        seconds = int(STUCK_SECONDS)
        self.finish(
            TerminalEnd(EndReason.INPUT_STUCK, None, f"the program has not read its input for {seconds} seconds")
        )
        self.on_stuck(self)

    def finish(self, end: TerminalEnd) -> None:
        """Tell why, and close once that is read."""
        if self._finished:
            return
        self.tell(end_to_wire(end))
        self.gone()
        self._transport.close()
        asyncio.get_running_loop().call_later(FAREWELL_SECONDS, self._transport.abort)

    def gone(self) -> None:
        """The connection ends."""
        self._finished = True
        if self._stuck_timer is not None:
            self._stuck_timer.cancel()
            self._stuck_timer = None
