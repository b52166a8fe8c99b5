"""Lines of the scrollback, as small as they get: plain ones are bare strings, styled ones have a byte per cell."""

from __future__ import annotations

from widgets.terminal.emulator.marks import Mark
from widgets.terminal.emulator.row import Row
from widgets.terminal.emulator.style import Style


class KeptRow:
    """A line that scrolled away. `index` says for each cell which of `looks` it has; both are None for a plain line."""

    __slots__ = ("clusters", "index", "looks", "marks", "text", "wide", "wrapped")

    def __init__(self, row: Row) -> None:
        self.text = row.text
        self.clusters = row.clusters
        self.wide = row.wide
        self.wrapped = row.wrapped
        self.marks: tuple[Mark, ...] = row.marks
        self.looks: tuple[Style, ...] | None = None
        self.index: bytes | None = None
        if row.styles is not None:
            numbers = {look: number for number, look in enumerate(dict.fromkeys(row.styles))}
            self.looks = tuple(numbers)
            self.index = bytes(map(numbers.__getitem__, row.styles))

    def row(self) -> Row:
        """The line as it was."""
        row = Row(self.text)
        row.clusters, row.wide, row.wrapped, row.marks = self.clusters, self.wide, self.wrapped, self.marks
        if self.looks is not None and self.index is not None:
            row.styles = list(map(self.looks.__getitem__, self.index))
        return row


Kept = Row | KeptRow | str
"""A line of the scrollback. One with more than 256 looks stays a row."""


def kept(row: Row) -> Kept:
    """The line as the scrollback keeps it."""
    if row.styles is None:
        return KeptRow(row) if row.clusters or row.wide or row.wrapped or row.marks else row.text
    return row if len(row.text) > 256 and len(set(row.styles)) > 256 else KeptRow(row)


def restored(line: Kept) -> Row:
    """The line as a row again."""
    if isinstance(line, str):
        return Row(line)
    return line.row() if isinstance(line, KeptRow) else line
