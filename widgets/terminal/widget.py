"""The terminal widget: a source, its output and its size."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import ClassVar, Final

from textual import events
from textual.geometry import Region
from textual.message import Message

from widgets.terminal.commands import COMMANDS, TerminalCommand
from widgets.terminal.emulator import ByteStream, Screen
from widgets.terminal.emulator.grid import DEFAULT_SCROLLBACK
from widgets.terminal.input import TerminalInput
from widgets.terminal.messages import TerminalMessages
from widgets.terminal.outbox import Outbox, Paste
from widgets.terminal.outer_output import outer_is_behind
from widgets.terminal.selection import Selection
from widgets.terminal.source import SourceFactory, TerminalSource

SLICE: Final = 8 * 1024
"""Bytes fed at a time."""

FRAME_BUDGET: Final = 0.004
"""Seconds of feeding, from one turn of the rest of the app to the next."""

EAGER: Final = 512
"""Output of at most this many bytes is painted at once: it is an echo."""

_TURNS: Final = 10
"""Turns of the event loop between two slices: a key takes several to get through Textual's queues to the program."""

_HIDDEN_PAUSE: Final = 0.05
"""Seconds between two slices where nobody looks: what is on show goes first."""

_OUTER_PAUSE: Final = 0.002
_OUTER_PAUSES: Final = 4
"""Of so many seconds each, while the outer terminal has not taken what was painted before: feeding on would only make
the next frame, and the echo of a key with it, wait for the processor."""

_NOTED: Final = 64 * 1024
"""Characters of a paste that wait for the program to read before the user is told."""

_MOST_AHEAD: Final = 4096
"""Keys and short pastes that are kept for a source that is being opened."""

_LONGEST_AHEAD: Final = 1024

_MAX_REPLIES: Final = 64 * 1024


class Terminal(TerminalMessages, TerminalInput, can_focus=True):
    """A terminal that shows a `TerminalSource`: attach one, or give a factory that is called once the size is known.

    The widget owns what is attached to it and closes it. Keys in `pass_keys` are left to the app, and all but the
    widget's own (`commands()`) are where nothing runs. Shift with the mouse selects even where the program wants the
    mouse.
    """

    allow_paste_query: ClassVar[bool] = False
    """Whether programs may read the app's clipboard (OSC 52). Anything that is shown could then ask for it."""

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
        self._awaited = source_factory is not None
        self._ahead: list[tuple[str, str | None] | str] = []
        self._outbox = Outbox()
        self._wake = asyncio.Event()
        self._spent = 0.0
        self._pasting_noted = False
        self._on_alternate = False
        self._news: dict[type[Message], Message] = {}
        self._wire_up()

    def _wire_up(self) -> None:
        emulator = self._emulator
        emulator.on_reply = self._reply
        emulator.on_bell = lambda: self._tell(self.BellRang(self))
        emulator.on_title = lambda title: self._tell(self.TitleChanged(self, title))
        emulator.on_directory = lambda path: self._tell(self.DirectoryChanged(self, path, emulator.directory_host))
        emulator.on_clipboard = lambda selection, text: self._tell(self.CopyRequested(self, text, selection))
        emulator.on_notification = lambda title, text: self._tell(self.Notified(self, title, text))
        emulator.on_progress = lambda state, percent: self._tell(self.ProgressChanged(self, state, percent))
        emulator.read_clipboard = lambda _: self.app.clipboard if self.allow_paste_query else None

    @property
    def source(self) -> TerminalSource | None:
        """What is attached; None before, after `detach` and once it ended."""
        return self._source

    @property
    def listening(self) -> bool:
        """Whether something runs."""
        return self._source is not None

    @property
    def takes_keys(self) -> bool:
        """Whether what is typed goes to a program: one that runs, or one that is being opened, which gets it then."""
        return self._source is not None or self._awaited

    def keep(self, key: str, character: str | None) -> bool:
        """Keep a key until the source is open; False where none is being opened."""
        if self._awaited and len(self._ahead) < _MOST_AHEAD:
            self._ahead.append((key, character))
        return self._awaited

    def _forget_ahead(self) -> None:
        self._awaited = False
        self._ahead.clear()

    def _send_ahead(self) -> None:
        """What was typed and pasted before the source was there, as its program wants it, and before all that comes."""
        ahead = self._ahead.copy()
        self._forget_ahead()
        for each in ahead:
            if isinstance(each, str):
                TerminalInput.paste(self, each)  # this terminal's alone, as the keys are
            else:
                self.take_key(*each)

    @staticmethod
    def commands() -> tuple[TerminalCommand, ...]:
        """What it can do besides what its program does."""
        return COMMANDS

    def _tell(self, message: Message) -> None:
        """A message for the app, once the output at hand is fed: of one kind the last, so that a flood of titles or
        bells is one."""
        self._news[type(message)] = message

    def _tell_news(self) -> None:
        if self._news:
            news, self._news = self._news, {}
            for message in news.values():
                self.post_message(message)

    def copied(self, text: str) -> None:
        """Tell that text went to the clipboard."""
        self.post_message(self.Copied(self, text))

    def link_requested(self, address: str, shown: str) -> None:
        """Tell that a link is to be opened."""
        self.post_message(self.LinkRequested(self, address, shown))

    def copying_changed(self, copying: bool) -> None:
        """Tell that copy mode began or ended."""
        self.post_message(self.CopyModeChanged(self, copying))

    # Source

    def attach(self, source: TerminalSource, *, clear: bool = True) -> None:
        """Show this source from now on, on a fresh screen unless `clear` is False.

        Raises RuntimeError where another one is attached still.
        """
        if self._source is not None:
            raise RuntimeError("another source is attached: detach it first")
        if clear:
            self.forget_lines()
            self._emulator = Screen(self._emulator.columns, self._emulator.lines, self._scrollback)
            self._stream = ByteStream(self._emulator)
            self._wire_up()
            self.tell_colours()
        self._source = source
        self._outbox.clear()
        self._wake.clear()
        self._start("terminal-read", self._read, source)
        self._start("terminal-write", self._write, source)
        self._tell_size()
        self._send_ahead()
        self._shown_anew()

    async def detach(self) -> None:
        """Stop showing the source and close it. What it printed stays on the screen."""
        source, self._source = self._source, None
        self._forget_ahead()
        for group in ("terminal-open", "terminal-read", "terminal-write", "terminal-size"):
            self.workers.cancel_group(self, group)
        if source is not None:
            await source.close()
            self._shown_anew()

    def restart(self) -> None:
        """Open a source by the factory, first or again after the last one ended. Without a factory, or while a source
        is attached, this does nothing."""
        if self._factory is None or self._source is not None:
            return
        self._awaited = True
        if self._sized:
            self._start("terminal-open", self._open, self._factory)

    async def _open(self, factory: SourceFactory) -> None:
        try:
            source = await factory(self._emulator.columns, self._emulator.lines)
        except OSError as error:
            self._forget_ahead()
            self.post_message(self.Exited(self, None, str(error)))
            return
        self.attach(source)

    async def on_unmount(self) -> None:
        """Hang up."""
        await self.detach()

    # Output

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
            self._shown_anew()
            await source.close()

    async def _take(self, data: bytes) -> None:
        """Feed output in slices; others have their turn when the budget of a frame is used up."""
        for at in range(0, len(data), SLICE):
            if self._spent > FRAME_BUDGET:
                self.paint_frame()
                self._tell_news()
                await self._let_others()
                self._spent = 0.0
            began = monotonic()
            self._stream.feed(data[at : at + SLICE])
            self._spent += monotonic() - began
        if self._emulator.alternate != self._on_alternate:
            # Other lines have these numbers now.
            self._on_alternate = self._emulator.alternate
            self.forget_lines()
        self.paint(eager=len(data) <= EAGER)
        self._tell_news()

    async def _let_others(self) -> None:
        if not self.in_view:
            await asyncio.sleep(_HIDDEN_PAUSE)
        elif self._emulator.dirty:
            # Who reads the outer terminal, and the thread that writes to it, want the processor too.
            for _ in range(_OUTER_PAUSES):
                if not outer_is_behind(self.app):
                    break
                await asyncio.sleep(_OUTER_PAUSE)
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    # Input

    async def _write(self, source: TerminalSource) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while piece := self._outbox.take():
                    await source.write(piece)
                    if self._pasting_noted or self._outbox.pasting > _NOTED:
                        self._pasting_noted = self._outbox.pasting > _NOTED
                        self.refresh(Region(0, 0, self.size.width, 1))
        except OSError:
            # The reading side meets the same end, and tells it.
            self._outbox.clear()

    def send(self, data: bytes) -> None:
        """Send bytes to the program as they are. Dropped where none runs."""
        if self._source is not None and data:
            self._outbox.put(data)
            self._wake.set()

    def send_paste(self, text: str, *, bracketed: bool) -> None:
        """Send text piece by piece, as fast as the program reads it. A line is kept while the source is being
        opened; dropped where nothing runs."""
        if self._source is not None:
            self._outbox.put_paste(Paste(text, bracketed=bracketed))
            self._wake.set()
        elif self._awaited:
            # Whether the program wants brackets is not known yet, and without them each line would be a command.
            if "\n" in text.strip() or "\r" in text.strip() or len(text) > _LONGEST_AHEAD:
                self.nothing_there("Nothing runs yet that could take the paste")
            elif len(self._ahead) < _MOST_AHEAD:
                self._ahead.append(text)

    @property
    def pasting(self) -> int:
        """Characters of pastes that the program has not taken yet."""
        return self._outbox.pasting

    @property
    def note(self) -> str:
        """Also what is left of a big paste."""
        if self._outbox.pasting <= _NOTED:
            return super().note
        return f" pasting, {self._outbox.pasting // 1024} K left, ^C drops it "

    def interrupt(self) -> None:
        """What is left of a paste is dropped: whoever stops a program does not want the next one to get it."""
        self._outbox.stop_pastes()

    def _reply(self, text: str) -> None:
        # A program that asks without reading the answers must not grow the queue.
        if self._outbox.size < _MAX_REPLIES:
            self.send(text.encode())

    # Commands

    def action_copy(self) -> None:
        """Copy what is selected."""
        if not self.copy_selection():
            self.nothing_there("Nothing is selected")
        self.stop_copying()

    def action_select_all(self) -> None:
        """Select all lines there are."""
        emulator = self._emulator
        first = emulator.history_total if emulator.alternate else emulator.history_first
        last = emulator.lines - 1
        while last > 0 and not emulator.rows[last].text.strip():
            last -= 1
        self.select(Selection((first, 0), (emulator.history_total + last, emulator.columns - 1)))

    def action_page_up(self) -> None:
        """Look a page back."""
        self.scroll_lines(max(1, self._emulator.lines - 1))

    def action_page_down(self) -> None:
        """Look a page forth."""
        self.scroll_lines(-max(1, self._emulator.lines - 1))

    def action_scroll_top(self) -> None:
        """Look at the oldest line."""
        self.scroll_to_line(self._emulator.history_first)

    def action_scroll_bottom(self) -> None:
        """Follow the output again."""
        self.scroll_to_line(self._emulator.history_total)

    def action_clear_scrollback(self) -> None:
        """Forget the lines that scrolled away."""
        self.forget_lines()
        self._emulator.erase_in_display(3)
        self._shown_anew()

    def action_reset_terminal(self) -> None:
        """All as after power-on; the scrollback stays."""
        self.forget_lines()
        self._emulator.reset()
        self._shown_anew()

    # Size

    def on_resize(self, event: events.Resize) -> None:
        """Take on the size of the widget; the first size opens the factory's source."""
        columns, rows = self.size
        if columns < 1 or rows < 1:
            return
        if (columns, rows) != (self._emulator.columns, self._emulator.lines):
            self.forget_lines()
            self._emulator.resize(rows, columns)
            self._tell_size()
            self.post_message(self.Resized(self, columns, rows))
        if not self._sized:
            self._sized = True
            self.restart()
        self._place_cursor()

    def _tell_size(self) -> None:
        if self._source is not None:
            self._start("terminal-size", self._resize_source, self._source)

    async def _resize_source(self, source: TerminalSource) -> None:
        try:
            await source.resize(self._emulator.columns, self._emulator.lines)
        except OSError:
            # Gone: the reading side tells it.
            return
