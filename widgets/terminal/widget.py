"""The terminal widget: a source, its output and its size."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Final

from textual import events
from textual.message import Message

from widgets.terminal.emulator import ByteStream, Screen
from widgets.terminal.emulator.grid import DEFAULT_SCROLLBACK
from widgets.terminal.input import TerminalInput
from widgets.terminal.source import SourceFactory, TerminalSource

SLICE: Final = 8 * 1024
"""Bytes fed at a time."""

FRAME_BUDGET: Final = 0.006
"""Seconds of feeding before the rest of the app has its turn."""

EAGER: Final = 512
"""Output of at most this many bytes is painted at once: it is an echo."""

_TURNS = 4
"""Turns of the event loop between two slices: a key takes several to get through Textual's queues."""

_WRITE = 4096
_MAX_REPLIES = 64 * 1024


class Terminal(TerminalInput, can_focus=True):
    """A terminal that shows a `TerminalSource`: attach one, or give a factory that is called once the size is known.

    The widget owns what is attached to it and closes it. Keys in `pass_keys` are left to the app, and all keys are
    where nothing runs. Shift with the mouse selects even where the program wants the mouse.
    """

    class TerminalMessage(Message):
        """What terminals tell. `control` is the terminal."""

        def __init__(self, terminal: Terminal) -> None:
            super().__init__()
            self.terminal = terminal

        @property
        def control(self) -> Terminal:
            return self.terminal

    class TitleChanged(TerminalMessage):
        """The program set a title."""

        def __init__(self, terminal: Terminal, title: str) -> None:
            super().__init__(terminal)
            self.title = title

    class Exited(TerminalMessage):
        """The output ended. `code` is the exit status, None where it is unknown; `error` says why nothing could be
        opened, or why the connection broke."""

        def __init__(self, terminal: Terminal, code: int | None, error: str | None = None) -> None:
            super().__init__(terminal)
            self.code = code
            self.error = error

    class BellRang(TerminalMessage):
        """The program rang the bell."""

    class Resized(TerminalMessage):
        """The terminal has a new size, in cells."""

        def __init__(self, terminal: Terminal, columns: int, rows: int) -> None:
            super().__init__(terminal)
            self.columns = columns
            self.rows = rows

    class Copied(TerminalMessage):
        """Text went to the clipboard."""

        def __init__(self, terminal: Terminal, text: str) -> None:
            super().__init__(terminal)
            self.text = text

    def __init__(
        self,
        source_factory: SourceFactory | None = None,
        *,
        scrollback: int = DEFAULT_SCROLLBACK,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(scrollback=scrollback, name=name, id=id, classes=classes)
        self._factory = source_factory
        self._source: TerminalSource | None = None
        self._sized = False
        self._outbox = bytearray()
        self._wake = asyncio.Event()
        self._frame_started = 0.0
        self._wire_up()

    def _wire_up(self) -> None:
        self._emulator.on_reply = self._reply
        self._emulator.on_bell = self._ring
        self._emulator.on_title = self._retitle

    @property
    def source(self) -> TerminalSource | None:
        """What is attached; None before, after `detach` and once it ended."""
        return self._source

    @property
    def listening(self) -> bool:
        """Whether something runs."""
        return self._source is not None

    def copied(self, text: str) -> None:
        """Tell that text went to the clipboard."""
        self.post_message(self.Copied(self, text))

    # Source

    def attach(self, source: TerminalSource, *, clear: bool = True) -> None:
        """Show this source from now on, on a fresh screen unless `clear` is False.

        Raises RuntimeError where another one is attached still.
        """
        if self._source is not None:
            raise RuntimeError("another source is attached: detach it first")
        if clear:
            self._emulator = Screen(self._emulator.columns, self._emulator.lines, self._scrollback)
            self._stream = ByteStream(self._emulator)
            self._wire_up()
            self.tell_colours()
            self._anchor = self._selection = None
        self._source = source
        self._outbox.clear()
        self._wake.clear()
        self.run_worker(self._read(source), group="terminal-read", exclusive=True)
        self.run_worker(self._write(source), group="terminal-write", exclusive=True)
        self._tell_size()
        self.refresh()

    async def detach(self) -> None:
        """Stop showing the source and close it. What it printed stays on the screen."""
        source, self._source = self._source, None
        for group in ("terminal-open", "terminal-read", "terminal-write", "terminal-size"):
            self.workers.cancel_group(self, group)
        if source is not None:
            await source.close()
            self.refresh()

    def restart(self) -> None:
        """Open a source by the factory, first or again after the last one ended. Without a factory, or while a source
        is attached, this does nothing."""
        if self._factory is not None and self._source is None and self._sized:
            self.run_worker(self._open(self._factory), group="terminal-open", exclusive=True)

    async def _open(self, factory: SourceFactory) -> None:
        try:
            source = await factory(self._emulator.columns, self._emulator.lines)
        except OSError as error:
            self.post_message(self.Exited(self, None, str(error)))
            return
        self.attach(source)

    async def on_unmount(self) -> None:
        """Hang up."""
        await self.detach()

    async def _read(self, source: TerminalSource) -> None:
        code, error = None, None
        try:
            while data := await source.read():
                await self._take(data)
            code = await source.exit_code()
        except OSError as broken:
            error = str(broken)
        if self._source is source:
            self._source = None
            self.workers.cancel_group(self, "terminal-write")
            self.post_message(self.Exited(self, code, error))
            self.refresh()
            await source.close()

    async def _take(self, data: bytes) -> None:
        """Feed output in slices; others have their turn when the budget of a frame is used up."""
        for at in range(0, len(data), SLICE):
            if monotonic() - self._frame_started > FRAME_BUDGET:
                self.paint_frame()
                for _ in range(_TURNS):
                    await asyncio.sleep(0)
                self._frame_started = monotonic()
            self._stream.feed(data[at : at + SLICE])
        self.paint(eager=len(data) <= EAGER)

    async def _write(self, source: TerminalSource) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._outbox:
                    piece = bytes(self._outbox[:_WRITE])
                    del self._outbox[:_WRITE]
                    await source.write(piece)
        except OSError:
            # The reading side meets the same end, and tells it.
            self._outbox.clear()

    def send(self, data: bytes) -> None:
        """Send bytes to the program as they are. Dropped where none runs."""
        if self._source is not None and data:
            self._outbox += data
            self._wake.set()

    def _reply(self, text: str) -> None:
        # A program that asks without reading the answers must not grow the queue.
        if len(self._outbox) < _MAX_REPLIES:
            self.send(text.encode())

    def _ring(self) -> None:
        self.post_message(self.BellRang(self))

    def _retitle(self, title: str) -> None:
        self.post_message(self.TitleChanged(self, title))

    # Size

    def on_resize(self, event: events.Resize) -> None:
        """Take on the size of the widget; the first size opens the factory's source."""
        columns, rows = self.size
        if columns < 1 or rows < 1:
            return
        if (columns, rows) != (self._emulator.columns, self._emulator.lines):
            self._emulator.resize(rows, columns)
            # Lines were laid out anew: what was selected or looked at has other numbers now.
            self._anchor = self._selection = None
            self._tell_size()
            self.post_message(self.Resized(self, columns, rows))
        if not self._sized:
            self._sized = True
            self.restart()

    def _tell_size(self) -> None:
        if self._source is not None:
            self.run_worker(self._resize_source(self._source), group="terminal-size", exclusive=True)

    async def _resize_source(self, source: TerminalSource) -> None:
        try:
            await source.resize(self._emulator.columns, self._emulator.lines)
        except OSError:
            # Gone: the reading side tells it.
            return
