"""What is selected, in lines that keep their numbers while output scrolls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from widgets.terminal.emulator import STUB, Row, Screen

Cell = tuple[int, int]
"""An absolute line number and a column."""

_WORD_EXTRA = frozenset("_-./~:@%+#?&=,")
"""What belongs to a word besides letters and digits: paths and addresses are selected whole."""


class Shape(Enum):
    """What lies between the two ends of a selection."""

    CELLS = "cells"
    LINES = "lines"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Selection:
    """From one cell to another, both included; `start` may be after `end`."""

    start: Cell
    end: Cell
    shape: Shape = Shape.CELLS

    def span(self, number: int) -> tuple[int, int | None] | None:
        """The columns selected on a line: first, and one past the last (None to the end of the line)."""
        first, last = sorted((self.start, self.end))
        if not first[0] <= number <= last[0]:
            return None
        if self.shape is Shape.LINES:
            return 0, None
        if self.shape is Shape.BLOCK:
            left, right = sorted((self.start[1], self.end[1]))
            return left, right + 1
        return (first[1] if number == first[0] else 0), (last[1] + 1 if number == last[0] else None)

    def text(self, screen: Screen) -> str:
        """What is selected, as it reads: lines that wrapped are joined, except in a block; blanks at line ends are
        dropped."""
        first, last = sorted((self.start, self.end))
        parts: list[str] = []
        for number in range(max(first[0], screen.history_first), last[0] + 1):
            row = screen.line(number)
            span = self.span(number)
            if row is None or span is None:
                continue
            text = row.shown(*_whole(row, *span))
            goes_on = row.wrapped and self.shape is not Shape.BLOCK and number < last[0]
            parts.append(text if goes_on else text.rstrip(" "))
            if not goes_on and number < last[0]:
                parts.append("\n")
        return "".join(parts)

    def stretched(self, end: Cell) -> Selection:
        """The same with another end."""
        return replace(self, end=end)


def _whole(row: Row, start: int, end: int | None) -> tuple[int, int | None]:
    """Columns that cut no wide character in two."""
    text = row.text
    if 0 < start < len(text) and text[start] == STUB:
        start -= 1
    if end is not None and end < len(text) and text[end] == STUB:
        end += 1
    return start, end


def logical_lines(screen: Screen, number: int, most: int = 1 << 30) -> tuple[int, int]:
    """The first and last number of the lines that are one line which wrapped; at most so many on either side."""
    first = last = number
    oldest, newest = max(screen.history_first, number - most), number + most
    while first > oldest and (above := screen.line(first - 1)) is not None and above.wrapped:
        first -= 1
    while last < newest and (row := screen.line(last)) is not None and row.wrapped:
        if screen.line(last + 1) is None:
            break
        last += 1
    return first, last


def word_at(row: Row, column: int) -> tuple[int, int]:
    """The first and last column of the word at a column; the column itself where there is no word."""
    if not _belongs(row, column):
        return column, column
    first = last = column
    while first > 0 and _belongs(row, first - 1):
        first -= 1
    while _belongs(row, last + 1):
        last += 1
    return first, last


def word_around(screen: Screen, cell: Cell) -> tuple[Cell, Cell]:
    """The first and last cell of the word at a cell, also where it wrapped into other lines."""
    number, column = cell
    row = screen.line(number)
    if row is None:
        return cell, cell
    first, last = word_at(row, column)
    begin, end = (number, first), (number, last)
    if not _belongs(row, column):
        return begin, end
    while begin[1] == 0 and (above := screen.line(begin[0] - 1)) is not None and above.wrapped:
        width = len(above.text)
        if not _belongs(above, width - 1):
            break
        begin = (begin[0] - 1, word_at(above, width - 1)[0])
    while (here := screen.line(end[0])) is not None and here.wrapped and end[1] == len(here.text) - 1:
        below = screen.line(end[0] + 1)
        if below is None or not _belongs(below, 0):
            break
        end = (end[0] + 1, word_at(below, 0)[1])
    return begin, end


def _belongs(row: Row, column: int) -> bool:
    if not 0 <= column < len(row.text):
        return False
    char = row.text[column]
    return char == STUB or char.isalnum() or char in _WORD_EXTRA
