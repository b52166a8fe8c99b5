"""Which lines of a terminal are looked at."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from textual.widget import Widget

from widgets.terminal.emulator import ByteStream, Row, Screen
from widgets.terminal.emulator.grid import DEFAULT_SCROLLBACK

if TYPE_CHECKING:
    from textual.worker import WorkType

_MAX_OLD_ROWS: Final = 512


class TerminalScrolling(Widget):
    """An emulator, and the part of its screen and scrollback that is in view. It draws nothing."""

    def __init__(
        self,
        *,
        scrollback: int = DEFAULT_SCROLLBACK,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._anchor: int | None = None
        self._still: int | None = None
        self._old_rows: dict[int, Row] = {}
        self._scrollback = scrollback
        self._emulator = Screen(80, 24, scrollback)
        self._stream = ByteStream(self._emulator)

    @property
    def emulator(self) -> Screen:
        """The screen behind the widget: rows, cursor, modes, scrollback."""
        return self._emulator

    def _start(
        self, group: str, work: Callable[..., Coroutine[Any, Any, None]], *told: object, alone: bool = True
    ) -> None:
        """Run a coroutine function as a worker, instead of others of its group if `alone`. One that is cancelled
        before it began leaves no coroutine behind that nobody awaits."""
        self.run_worker(cast("WorkType[None]", partial(work, *told)), group=group, exclusive=alone)

    @property
    def status(self) -> str | None:
        """What the last line says instead of the program's; None where it says nothing."""
        return None

    def moved(self) -> None:
        """Called when other lines are in view."""

    def row_at(self, number: int) -> Row:
        """The line with this absolute number, blank where there is none. One of the scrollback is the same object each
        time, so that its strip is found again."""
        emulator = self._emulator
        if not emulator.history_first <= number < emulator.history_total:
            return emulator.line(number) or Row()
        row = self._old_rows.get(number)
        if row is None:
            if len(self._old_rows) >= _MAX_OLD_ROWS:
                self._old_rows.clear()
            row = self._old_rows[number] = emulator.line(number) or Row()
        return row

    def forget_lines(self) -> None:
        """Lines have other numbers now: what is looked at is forgotten, and the output followed."""
        self._anchor = self._still = None
        self._old_rows.clear()
        self.refresh()

    @property
    def first_line(self) -> int:
        """The absolute number of the line at the top of the widget."""
        if self._anchor is None:
            return self._emulator.history_total
        return min(self.last_first_line, max(self._anchor, self._emulator.history_first))

    @property
    def last_first_line(self) -> int:
        """The absolute number of the line at the top where the view is at the bottom."""
        return self._emulator.history_total

    def scroll_lines(self, lines: int) -> None:
        """Look up by so many lines, down for a negative number; back at the bottom, output is followed again."""
        self.scroll_to_line(self.first_line - lines)

    def scroll_to_line(self, number: int) -> None:
        """Have the line with this absolute number at the top, as far as there are lines."""
        target = max(number, self._emulator.history_first)
        anchor = None if target >= self._emulator.history_total else target
        if anchor != self._anchor:
            self._anchor = anchor
            self.refresh()
            self.moved()

    def bring_into_view(self, number: int) -> None:
        """Scroll as little as shows the line with this absolute number; to the middle where it is far away."""
        first, height = self.first_line, self._emulator.lines - (self.status is not None)
        if first <= number < first + height:
            return
        if first - height <= number < first + 2 * height:
            self.scroll_to_line(number if number < first else number - height + 1)
        else:
            self.scroll_to_line(number - height // 2)

    def follow(self) -> None:
        """Show the newest output."""
        if self._anchor is not None:
            self._anchor = None
            self.refresh()
            self.moved()
