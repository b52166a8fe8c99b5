"""What is selected with the mouse, in lines that keep their numbers while output scrolls."""

from __future__ import annotations

from dataclasses import dataclass

from widgets.terminal.emulator import STUB, Row, Screen

_WORD_EXTRA = frozenset("_-./~:@%+#?&=,")
"""What belongs to a word besides letters and digits: paths and addresses are selected whole."""


@dataclass(frozen=True, slots=True)
class Selection:
    """From one cell to another, both included; `start` may be after `end`. A cell is (absolute line, column)."""

    start: tuple[int, int]
    end: tuple[int, int]

    def span(self, number: int) -> tuple[int, int | None] | None:
        """The columns selected on a line: first, and one past the last (None to the end of the line)."""
        first, last = sorted((self.start, self.end))
        if not first[0] <= number <= last[0]:
            return None
        return (first[1] if number == first[0] else 0), (last[1] + 1 if number == last[0] else None)

    def text(self, screen: Screen) -> str:
        """What is selected, as it reads: lines that wrapped are joined, blanks at line ends are dropped."""
        first, last = sorted((self.start, self.end))
        parts: list[str] = []
        for number in range(max(first[0], screen.history_first), last[0] + 1):
            row = screen.line(number)
            span = self.span(number)
            if row is None or span is None:
                continue
            text = row.shown(*span)
            ends = number == last[0] or not row.wrapped
            parts.append(text.rstrip(" ") if ends else text)
            if not row.wrapped and number < last[0]:
                parts.append("\n")
        return "".join(parts)


def word_at(row: Row, column: int) -> tuple[int, int]:
    """The first and last column of the word at a column; the column itself where there is no word."""

    def belongs(x: int) -> bool:
        char = row.text[x]
        return char == STUB or char.isalnum() or char in _WORD_EXTRA

    if column >= len(row.text) or not belongs(column):
        return column, column
    first = last = column
    while first > 0 and belongs(first - 1):
        first -= 1
    while last + 1 < len(row.text) and belongs(last + 1):
        last += 1
    return first, last
