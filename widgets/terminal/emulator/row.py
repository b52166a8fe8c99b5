"""One line of a screen: a string of one character per cell, and the style of each cell.

Strings make floods cheap: a line of plain text is one object and no styles. A wide character takes its own cell and
a `STUB` after it; combining characters are kept beside the text, by cell. Cells past the end are blank. Lines that
nobody writes to any more keep their styles by run instead of by cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from widgets.terminal.emulator.marks import Mark
from widgets.terminal.emulator.style import DEFAULT, Style
from widgets.terminal.emulator.width import cell_width

STUB: Final = "\0"
"""Stands in the second cell of a wide character."""

_MAX_CLUSTER = 16
"""Combining characters kept on one cell; more are dropped, so that a cell cannot grow without bound."""


class Row:
    """A line.

    Styles are a list (`_cells`) or a tuple of end, style, end, style, ... (`_packed`), never both. `wrapped` is True
    where the text went on in the next row by itself. `marks` are the shell's. `version` grows with every change.
    """

    __slots__ = ("_cells", "_packed", "clusters", "marks", "text", "version", "wide", "wrapped")

    def __init__(
        self, text: str = "", styles: list[Style] | None = None, packed: tuple[int | Style, ...] | None = None
    ) -> None:
        self.text = text
        self._cells = styles
        self._packed = packed
        self.clusters: dict[int, str] | None = None
        self.marks: tuple[Mark, ...] = ()
        self.wide = False
        self.wrapped = False
        self.version = 0

    @classmethod
    def blank(cls, columns: int, fill: Style) -> Row:
        """An empty row; with a background, cells that show it."""
        return cls() if fill is DEFAULT else cls(" " * columns, [fill] * columns)

    @property
    def styles(self) -> list[Style] | None:
        """The style of each cell of `text`; None where all have the default one. Of a packed line it is a copy."""
        return self._cells if self._packed is None else self._by_cell()

    @styles.setter
    def styles(self, styles: list[Style] | None) -> None:
        self._cells, self._packed = styles, None

    def _by_cell(self) -> list[Style]:
        styles: list[Style] = []
        for start, end, look in self.runs():
            styles += [look] * (end - start)
        return styles

    def _unpack(self) -> None:
        self._cells, self._packed = self._by_cell(), None

    def packed(self) -> Row | str:
        """The line in little memory, for keeping: its bare text where that is all there is to it."""
        if self._cells is not None:
            flat: list[int | Style] = []
            for _, end, look in self.runs():
                flat += (end, look)
            self._packed, self._cells = tuple(flat), None
            if len(flat) == 2 and flat[1] is DEFAULT:
                self._packed = None
        if self._packed is None and not (self.clusters or self.wide or self.wrapped or self.marks):
            return self.text
        return self

    def put(self, x: int, text: str, pen: Style) -> None:
        """Write cells (stubs included) over what is there."""
        self.version += 1
        if self._packed is not None:
            self._unpack()
        old = self.text
        length = len(old)
        end = x + len(text)
        if self.wide or self.clusters:
            self._break(x, end)
            old = self.text
        styles = self._cells
        if x == length:
            self.text = old + text
            if styles is not None:
                styles += [pen] * len(text)
            elif pen is not DEFAULT:
                self._cells = [DEFAULT] * length + [pen] * len(text)
        elif x > length:
            self.text = old.ljust(x) + text
            if styles is not None:
                styles += [DEFAULT] * (x - length) + [pen] * len(text)
            elif pen is not DEFAULT:
                self._cells = [DEFAULT] * x + [pen] * len(text)
        else:
            self.text = old[:x] + text + old[end:]
            if styles is not None:
                styles[x:end] = [pen] * len(text)
            elif pen is not DEFAULT:
                fresh = [DEFAULT] * len(self.text)
                fresh[x:end] = [pen] * len(text)
                self._cells = fresh

    def put_each(self, x: int, text: str, looks: list[Style]) -> None:
        """Write cells without stubs, each with its own look."""
        self.version += 1
        if self._packed is not None:
            self._unpack()
        end = x + len(text)
        if self.wide or self.clusters:
            self._break(x, end)
        old = self.text
        length = len(old)
        cells = self._cells
        if cells is None and looks.count(DEFAULT) < len(looks):
            cells = self._cells = [DEFAULT] * length
        if x < length:
            self.text = old[:x] + text + old[end:]
            if cells is not None:
                cells[x:end] = looks
        else:
            self.text = old.ljust(x) + text
            if cells is not None:
                cells += [DEFAULT] * (x - length) + looks

    def erase(self, start: int, end: int, columns: int, fill: Style) -> None:
        """Blank the cells from `start` to before `end`, in the background of `fill`."""
        if end >= columns and fill is DEFAULT:
            self.version += 1
            if self._packed is not None:
                self._unpack()
            if start < len(self.text):
                if self.wide or self.clusters:
                    self._break(start, len(self.text))
                self.text = self.text[:start]
                if self._cells is not None:
                    self._cells = self._cells[:start] if start else None
        elif end > start:
            self.put(start, " " * (end - start), fill)

    def insert(self, x: int, count: int, columns: int, fill: Style) -> None:
        """Push the cells from `x` on to the right by `count` blanks; what leaves the row is lost."""
        count = min(count, columns - x)
        if count <= 0 or (x >= len(self.text) and fill is DEFAULT):
            return
        self.version += 1
        if self._packed is not None:
            self._unpack()
        if self.wide or self.clusters:
            self._break(x, x)
            self.clusters = _moved(self.clusters, x, count, columns)
        length = len(self.text)
        if self._cells is None and fill is not DEFAULT:
            self._cells = [DEFAULT] * length
        if self._cells is not None:
            self._cells += [DEFAULT] * (x - length)
            self._cells[x:x] = [fill] * count
            del self._cells[columns:]
        text = self.text.ljust(x)
        self.text = (text[:x] + " " * count + text[x:])[:columns]
        self.clip(columns)

    def delete(self, x: int, count: int, columns: int, fill: Style) -> None:
        """Take `count` cells out at `x`; blanks come in from the right."""
        count = min(count, columns - x)
        if count <= 0:
            return
        self.version += 1
        if self._packed is not None:
            self._unpack()
        if self.wide or self.clusters:
            self._break(x, x + count)
            self.clusters = _moved(self.clusters, x + count, -count, columns)
        if fill is not DEFAULT:
            self.pad(columns)
        self.text = self.text[:x] + self.text[x + count :]
        if self._cells is not None:
            del self._cells[x : x + count]
        if fill is not DEFAULT:
            self.put(columns - count, " " * count, fill)

    def piece(self, start: int, end: int) -> Row:
        """A copy of some cells; halves of wide characters become blanks."""
        copy = Row(self.text[start:end].ljust(end - start))
        copy.wide = self.wide
        if self.styles is not None:
            copy.styles = self.styles[start:end]
            copy.styles += [DEFAULT] * (end - start - len(copy.styles))
        if self.clusters:
            copy.clusters = {x - start: mark for x, mark in self.clusters.items() if start <= x < end} or None
        if self.wide and copy.text[:1] == STUB:
            copy.text = " " + copy.text[1:]
        copy.clip(end - start)
        return copy

    def place(self, x: int, piece: Row, count: int) -> None:
        """Put the first `count` cells of another row over what is here."""
        if count < len(piece.text):
            piece = piece.piece(0, count)
        for start, end, look in piece.runs():
            self.put(x + start, piece.text[start:end], look)
        self.wide = self.wide or piece.wide
        for at, mark in (piece.clusters or {}).items():
            self.clusters = {**(self.clusters or {}), x + at: mark}

    def restyle(self, start: int, end: int, change: Callable[[Style], Style]) -> None:
        """Change the looks of cells that are there; a wide character is as its first cell is."""
        self.version += 1
        start += self.text[start : start + 1] == STUB
        end += self.text[end : end + 1] == STUB
        styles = self.styles if self.styles is not None else [DEFAULT] * len(self.text)
        styles[start:end] = map(change, styles[start:end])
        self.styles = styles

    def combine(self, x: int, mark: str) -> None:
        """Add a zero-width character to the cell."""
        if x >= len(self.text):
            self.pad(x + 1)
        clusters = self.clusters if self.clusters is not None else {}
        held = clusters.get(x, "")
        if len(held) < _MAX_CLUSTER:
            self.version += 1
            clusters[x] = held + mark
            self.clusters = clusters

    def pad(self, length: int) -> None:
        """Make blanks at the end real cells."""
        missing = length - len(self.text)
        if missing > 0:
            if self._packed is not None:
                self._unpack()
            self.text += " " * missing
            if self._cells is not None:
                self._cells += [DEFAULT] * missing

    def clip(self, columns: int) -> None:
        """Drop what is right of the last column, and a wide character cut by it."""
        self.version += 1
        if self._packed is not None:
            self._unpack()
        if len(self.text) > columns:
            self.text = self.text[:columns]
            if self._cells is not None:
                del self._cells[columns:]
            if self.clusters:
                self.clusters = {x: mark for x, mark in self.clusters.items() if x < columns} or None
        if self.wide and len(self.text) == columns and self._leads(columns - 1):
            self.text = self.text[:-1] + " "
            if self.clusters:
                self.clusters.pop(columns - 1, None)

    def _leads(self, x: int) -> bool:
        """Whether the last cell holds the first half of a wide character whose stub is gone."""
        return cell_width(self.text[x]) == 2

    def _break(self, start: int, end: int) -> None:
        """Blank the other half of wide characters cut at `start` and `end`, forget the marks between."""
        text = self.text
        if self.wide:
            if 0 < start < len(text) and text[start] == STUB:
                text = text[: start - 1] + " " + text[start:]
                self._forget(start - 1, start)
                if start == end:
                    text = text[:start] + " " + text[start + 1 :]
            if start < end < len(text) and text[end] == STUB:
                text = text[:end] + " " + text[end + 1 :]
            self.text = text
        self._forget(start, end)

    def _forget(self, start: int, end: int) -> None:
        if self.clusters:
            self.clusters = {x: mark for x, mark in self.clusters.items() if not start <= x < end} or None

    def shown(self, start: int = 0, end: int | None = None) -> str:
        """The text of the cells as read: marks joined to their characters, stubs left out."""
        text = self.text if start == 0 and end is None else self.text[start:end]
        if self.clusters:
            stop = start + len(text)
            parts, at = [], start
            for x, mark in sorted(self.clusters.items()):
                if start <= x < stop:
                    parts.append(self.text[at : x + 1] + mark)
                    at = x + 1
            text = "".join(parts) + self.text[at:stop]
        return text.replace(STUB, "") if self.wide else text

    def runs(self) -> Iterator[tuple[int, int, Style]]:
        """Start, end (exclusive) and style of each run of equal style."""
        if self._packed is not None:
            start = 0
            parts = iter(self._packed)
            for end, look in zip(parts, parts, strict=True):
                yield start, end, look  # type: ignore[misc]  # ends and styles in turn
                start = end  # type: ignore[assignment]
            return
        styles = self._cells
        if styles is None:
            if self.text:
                yield 0, len(self.text), DEFAULT
            return
        start, current = 0, None
        for x, look in enumerate(styles):
            if look is not current:
                if current is not None:
                    yield start, x, current
                start, current = x, look
        if current is not None:
            yield start, len(styles), current


def _moved(clusters: dict[int, str] | None, start: int, by: int, columns: int) -> dict[int, str] | None:
    if not clusters:
        return None
    moved = {(x + by if x >= start else x): mark for x, mark in clusters.items()}
    return {x: mark for x, mark in moved.items() if 0 <= x < columns} or None
