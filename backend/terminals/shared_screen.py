"""A session's screen, and the way of its output through it to all who look on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from backend.terminals.queries import begun_query, split_queries
from backend.terminals.viewing import Viewing
from widgets.terminal.emulator import ByteStream, Screen, repaint

SCROLLBACK_LINES = 5_000
# The newest lines of the scrollback that one who fell behind gets with the screen.
CATCH_UP_LINES = 500
# What may be a question is held back for the rest of it.
HOLD_SECONDS = 0.05
# Before a viewer gets a screen written out: end a sequence that was cut off, and all that was there.
FRESH = b"\x18\x1bc\x1b[H\x1b[2J\x1b[3J"


class SharedScreen:
    """`answer` gets what the screen answers to the program."""

    def __init__(self, columns: int, rows: int, answer: Callable[[bytes], None]) -> None:
        self.viewers: list[Viewing] = []
        # The one that was active last.
        self.latest: Viewing | None = None
        self._answer = answer
        self._replied = False
        self._screen = Screen(columns, rows, SCROLLBACK_LINES)
        self._screen.on_reply = self._reply
        self._stream = ByteStream(self._screen)
        self._held = b""
        self._hold_timer: asyncio.TimerHandle | None = None

    @property
    def size(self) -> tuple[int, int]:
        return self._screen.columns, self._screen.lines

    @property
    def title(self) -> str:
        return str(self._screen.title)

    def resize(self, columns: int, rows: int) -> None:
        """For all who look on."""
        self._screen.resize(rows, columns)
        for viewer in self.viewers:
            viewer.tell({"type": "size", "columns": columns, "rows": rows})

    def write_out(self, viewer: Viewing, scrollback_lines: int) -> None:
        """Show it all that is there, in place of whatever it shows."""
        viewer.send(FRESH + repaint(self._screen, scrollback_lines) + self._stream.unfinished)

    def take_in(self, data: bytes) -> None:
        """What the program wrote, cut anywhere."""
        if self._held:
            data = self._held + data
            self._held = b""
            self._stop_holding()
        if b"\x1b" not in data:
            self._pass_on(data)
            return
        for plain, query in split_queries(data):
            if query:
                self._pass_on(plain)
                self._ask(query)
            else:
                at = begun_query(plain)
                self._pass_on(plain[:at])
                self._held = plain[at:]
        if self._held:
            self._hold_timer = asyncio.get_running_loop().call_later(HOLD_SECONDS, self.let_go)

    def let_go(self) -> None:
        """Of what was held back: the rest did not come, so it is no question, or a slow one."""
        data, self._held = self._held, b""
        self._stop_holding()
        self._pass_on(data)

    def notify(self, text: str, tries: int = 5) -> None:
        """A line of ours among the output; at the bottom where a program has the whole screen."""
        if (self._stream.unfinished or self._held) and tries:
            # Not into the middle of a sequence.
            asyncio.get_running_loop().call_later(0.1, self.notify, text, tries - 1)
            return
        shown = "".join(char for char in text if char.isprintable())[: self._screen.columns]
        if self._screen.alternate:
            line = f"\x1b7\x1b[{self._screen.lines};1H\x1b[7m{shown}\x1b[m\x1b[K\x1b8"
        else:
            line = f"\r\n\x1b[7m{shown}\x1b[m\r\n"
        self._pass_on(line.encode())

    def close(self) -> None:
        self._stop_holding()

    def _pass_on(self, data: bytes) -> None:
        if not data:
            return
        for viewer in self.viewers:
            # One who is behind while others are not misses this, and gets the screen written out later.
            if viewer.is_behind and len(self.viewers) > 1:
                viewer.skipped = True
            if not viewer.skipped:
                viewer.send(data)
        self._stream.feed(data)

    def _ask(self, query: bytes) -> None:
        """The screen answers what it can; the rest only the viewer that was active last may know."""
        self._replied = False
        self._stream.feed(query)
        if not self._replied and self.latest is not None and not self.latest.skipped:
            self.latest.send(query)

    def _reply(self, text: str) -> None:
        self._replied = True
        self._answer(text.encode())

    def _stop_holding(self) -> None:
        if self._hold_timer is not None:
            self._hold_timer.cancel()
            self._hold_timer = None
