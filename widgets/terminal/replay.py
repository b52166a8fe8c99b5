"""A recording as a source: it can be paused, sped up and gone through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from widgets.terminal.asciicast import Recording

SPEEDS: Final = (0.25, 0.5, 1.0, 1.5, 2.0, 4.0, 8.0, 16.0)
_FROM_THE_START: Final = b"\x1bc\x1b[3J"
_PIECE: Final = 32 * 1024


class Replay:
    """A `TerminalSource` of a recording. At its end it waits, so that one can go back; `close` ends it."""

    def __init__(
        self, recording: Recording, *, sized: Callable[[int, int], None] = lambda _columns, _rows: None
    ) -> None:
        """`sized` is told the size, in columns and rows, from which the output that follows was made."""
        self.recording = recording
        self._sized = sized
        self._loop = asyncio.get_running_loop()
        self._next = 0
        self._place = 0.0
        self._since = self._loop.time()
        self._speed = 1.0
        self._paused = False
        self._closed = False
        self._restart = False
        self._changed = asyncio.Event()

    @property
    def position(self) -> float:
        """Seconds from the beginning."""
        if self._paused:
            return self._place
        return min(self._place + (self._loop.time() - self._since) * self._speed, self.recording.duration)

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def ended(self) -> bool:
        """Whether all of it has been shown."""
        return self._next >= len(self.recording.events) and not self._restart

    @property
    def speed(self) -> float:
        """How many times as fast as it happened."""
        return self._speed

    def pause(self, paused: bool) -> None:
        """Hold on, or go on; at the end, going on begins anew."""
        if not paused and self.ended:
            self.seek(0.0)
        self._anchor()
        self._paused = paused
        self._changed.set()

    def faster(self, steps: int) -> None:
        """The next speed of `SPEEDS`; a negative number slows down."""
        at = min(range(len(SPEEDS)), key=lambda index: abs(SPEEDS[index] - self._speed))
        self._anchor()
        self._speed = SPEEDS[min(max(0, at + steps), len(SPEEDS) - 1)]
        self._changed.set()

    def seek(self, position: float) -> None:
        """Go to a moment, in seconds; before the beginning and after the end count as these."""
        position = min(max(0.0, position), self.recording.duration)
        events = self.recording.events
        if self._next and position < events[self._next - 1].time:
            # Screens cannot be played backwards: all before that moment is shown again, at once.
            self._next = 0
            self._restart = True
        self._place, self._since = position, self._loop.time()
        self._changed.set()

    def step(self) -> None:
        """Pause, and go to the next event."""
        self.pause(True)
        if not self.ended:
            self.seek(self.recording.events[self._next].time)

    def _anchor(self) -> None:
        self._place, self._since = self.position, self._loop.time()

    async def read(self) -> bytes:
        while not self._closed:
            self._changed.clear()
            data = self._due()
            if data:
                return data
            wait = self._wait()
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
            except TimeoutError:
                continue
        return b""

    def _due(self) -> bytes:
        """What has come about by now and has the size of what came before it; at most a piece of it at a time."""
        if self._restart:
            self._restart = False
            self._sized(self.recording.columns, self.recording.rows)
            return _FROM_THE_START
        parts: list[str] = []
        length = 0
        position = self.position
        events = self.recording.events
        while self._next < len(events) and length < _PIECE:
            event = events[self._next]
            # Half a microsecond: times went through a division by the speed.
            if event.time > position + 5e-7 or (parts and event.kind == "r"):
                break
            self._next += 1
            if event.kind == "o":
                parts.append(event.data)
                length += len(event.data)
            elif (size := event.size) is not None:
                self._sized(*size)
        # Recordings may hold halves of surrogate pairs, which no encoding has.
        return "".join(parts).encode("utf-8", "replace")

    def _wait(self) -> float | None:
        """Seconds to the next event; None where only the user can bring it about."""
        if self._paused or self.ended:
            return None
        return max(0.0, (self.recording.events[self._next].time - self.position) / self._speed)

    async def write(self, data: bytes) -> None:
        """Nobody listens."""

    async def resize(self, columns: int, rows: int) -> None:
        """What happened has happened."""

    async def exit_code(self) -> int | None:
        return None

    async def close(self) -> None:
        self._closed = True
        self._changed.set()
