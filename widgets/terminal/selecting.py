"""Selecting with the mouse, and what is shown as selected."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Final

from textual.geometry import Offset
from textual.timer import Timer

from widgets.terminal.emulator import Row
from widgets.terminal.emulator.grid import DEFAULT_SCROLLBACK
from widgets.terminal.paint import Mark
from widgets.terminal.selection import Cell, Selection, Shape, logical_lines, word_around
from widgets.terminal.view import TerminalView

_SCROLL_SECONDS: Final = 0.05
_MOST_LINES: Final = 10
"""Lines scrolled at a time while the mouse is dragged far beyond an edge."""


class Unit(Enum):
    """What a drag takes at a time."""

    CELL = "cell"
    WORD = "word"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Drag:
    """A drag under way: what it began with, and where the mouse is, which may be outside the widget."""

    begin: Cell
    end: Cell
    unit: Unit
    block: bool
    place: Offset


class TerminalSelecting(TerminalView, can_focus=True):
    """A view with a selection. `copied` is for a subclass to say."""

    copy_on_select: ClassVar[bool] = True
    """Whether letting go of the mouse copies what it selected."""

    def __init__(
        self,
        *,
        scrollback: int = DEFAULT_SCROLLBACK,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(scrollback=scrollback, name=name, id=id, classes=classes)
        self._selection: Selection | None = None
        self._drag: Drag | None = None
        self._autoscroll: Timer | None = None

    def copied(self, text: str) -> None:
        """Called when text went to the clipboard."""
        raise NotImplementedError

    @property
    def selection(self) -> Selection | None:
        """What is selected; None where nothing is."""
        return self._selection

    def select(self, selection: Selection | None) -> None:
        """Select, or unselect with None."""
        if selection != self._selection:
            self._selection = selection
            self.refresh()

    @property
    def selected_text(self) -> str:
        """The text of the selection; empty where nothing is selected."""
        return "" if self._selection is None else self._selection.text(self._emulator)

    def marks_on(self, number: int, row: Row) -> list[tuple[int, int, Mark]]:
        """The selection lies over all else."""
        marks = super().marks_on(number, row)
        if self._selection is not None and (span := self._selection.span(number)) is not None:
            marks.append((span[0], self._emulator.columns if span[1] is None else span[1], Mark.REVERSED))
        return marks

    def cell_at(self, place: Offset) -> Cell:
        """The absolute line and column under a place of the widget; places outside count as its edge."""
        x = min(max(0, place.x), self._emulator.columns - 1)
        y = min(max(0, place.y), self._emulator.lines - 1)
        return self.first_line + y, x

    def select_word(self, cell: Cell) -> None:
        """Select the word at a cell."""
        self.select(Selection(*word_around(self._emulator, cell)))

    def select_line(self, cell: Cell) -> None:
        """Select the whole line at a cell, with all lines that it wrapped into."""
        self.select(Selection(*self._around(cell, Unit.LINE)))

    def copy_selection(self) -> str:
        """Copy what is selected to the clipboard; returns it, empty where nothing is."""
        text = self.selected_text
        if text:
            self.app.copy_to_clipboard(text)
            self.copied(text)
        return text

    # Dragging

    def begin_drag(self, place: Offset, *, unit: Unit = Unit.CELL, block: bool = False) -> None:
        """The mouse went down here. Words and lines are selected at once, cells when the mouse moves."""
        begin, end = self._around(self.cell_at(place), unit)
        self._drag = Drag(begin, end, unit, block, place)
        self.select(None if unit is Unit.CELL else Selection(begin, end))

    def stretch_from_selection(self, place: Offset) -> None:
        """Go on with what is selected, to here."""
        if self._selection is not None:
            start, shape = self._selection.start, self._selection.shape
            self._drag = Drag(start, start, Unit.CELL, shape is Shape.BLOCK, place)
            self._stretch(place)

    def drag_to(self, place: Offset) -> None:
        """The mouse moved with its button down. Beyond an edge the view scrolls, for as long as the mouse stays."""
        if self._drag is None or (place == self._drag.place and self._selection is None):
            return
        self._stretch(place)
        beyond = not 0 <= place.y < self.size.height
        if beyond and self._autoscroll is None:
            self._scroll_on()
            self._autoscroll = self.set_interval(_SCROLL_SECONDS, self._scroll_on)
        elif not beyond:
            self._stop_scrolling()

    def end_drag(self) -> bool:
        """The button was let go; whether a drag was under way."""
        self._stop_scrolling()
        drag, self._drag = self._drag, None
        if drag is not None and self._selection is not None and self.copy_on_select:
            self.copy_selection()
        return drag is not None

    def _stretch(self, place: Offset) -> None:
        drag = self._drag
        if drag is None:
            return
        self._drag = Drag(drag.begin, drag.end, drag.unit, drag.block, place)
        begin, end = self._around(self.cell_at(place), drag.unit)
        shape = Shape.BLOCK if drag.block else Shape.CELLS
        if begin < drag.begin:
            self.select(Selection(drag.end, begin, shape))
        else:
            self.select(Selection(drag.begin, max(end, drag.end), shape))

    def _around(self, cell: Cell, unit: Unit) -> tuple[Cell, Cell]:
        if unit is Unit.WORD:
            return word_around(self._emulator, cell)
        if unit is Unit.LINE:
            first, last = logical_lines(self._emulator, cell[0])
            return (first, 0), (last, self._emulator.columns - 1)
        return cell, cell

    def _scroll_on(self) -> None:
        drag = self._drag
        if drag is None or not self.is_attached:
            self._stop_scrolling()
            return
        above, below = -drag.place.y, drag.place.y - self.size.height + 1
        if not self._emulator.alternate:
            self.scroll_lines(min(above, _MOST_LINES) if above > 0 else -min(max(below, 0), _MOST_LINES))
        self._stretch(drag.place)

    def _stop_scrolling(self) -> None:
        if self._autoscroll is not None:
            self._autoscroll.stop()
            self._autoscroll = None
